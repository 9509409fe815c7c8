# Included after llama.cpp's own `project()`: the engine's server needs its library and nothing of
# what stands around it, which is half of what there is to compile.
set(LLAMA_BUILD_COMMON OFF)
