"""Settings files as people and tools write them, generated."""

import json

from hypothesis import strategies as st

from halfdoor.config.tools.tool import Place, Tool, Wish

WISH = Wish("http://127.0.0.1:4114/via/tool-1f2e3d4c")
KEYS = st.sampled_from(
    [
        "env",
        "model",
        "provider",
        "theme",
        "ANTHROPIC_BASE_URL",
        "options",
        "halfdoor",
        "models",
        "é",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text('a"\\/,{}[]#:é\n', max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
LAYOUTS = st.sampled_from([None, 0, 2, 4, "\t"])
LINES = st.sampled_from(["\n", "\r\n"])


@st.composite
def json_texts(draw, roots=OBJECTS):
    """JSON in some layout, with comments and trailing commas where those may stand."""
    text = json.dumps(draw(roots), indent=draw(LAYOUTS), ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        rows = text.split("\n")
        remarks = [draw(st.sampled_from(["", "", " // a, } remark", ' /* b " */'])) for _ in rows]
        text = "\n".join(row + remark for row, remark in zip(rows, remarks, strict=True))
    return text.replace("\n", draw(LINES)) + draw(st.sampled_from(["", "\n", "\n\n// end\n"]))


WORDS = st.sampled_from(["model", "approval_policy", "model_provider", "notify", "tools"])
TOML_VALUES = st.sampled_from(
    ['"gpt-5"', "'x'", "true", "3", '["a", "b"]', '"halfdoor"', '"auto"', '"é # x"', "{ a = 1 }"]
)


@st.composite
def toml_texts(draw):
    """A config.toml: keys, remarks and tables; it may end without a newline."""
    top = draw(st.dictionaries(WORDS, TOML_VALUES, max_size=4))
    rows = ["# mine"] * draw(st.integers(0, 1))
    rows += [
        f"{key} = {value}{draw(st.sampled_from(['', '  # why']))}" for key, value in top.items()
    ]
    for name in draw(
        st.lists(st.sampled_from(["profiles.x", "mcp_servers.y", "model_providers.z"]), unique=True)
    ):
        inner = draw(st.dictionaries(WORDS, TOML_VALUES, max_size=2))
        rows += ["", f"[{name}]", *(f"{key} = {value}" for key, value in inner.items())]
    return draw(LINES).join(rows) + draw(st.sampled_from(["", "\n", "\n\n"]))


YAML_VALUES = st.sampled_from(
    [
        "x",
        '"y z"',
        "true",
        "3",
        "http://h:1/v1",
        "x # why",
        "'a'",
        "\n  - a\n  - b",
        "\n  c: d",
        "|\n  e",
    ]
)
YAML_WORDS = st.sampled_from(
    ["model", "openai-api-base", "name", "dark-mode", "models", "check-update"]
)


@st.composite
def yaml_texts(draw):
    """A file of keys at the margin, some with lists or maps below them."""
    top = draw(st.dictionaries(YAML_WORDS, YAML_VALUES, max_size=5))
    rows = ["# mine", ""] * draw(st.integers(0, 1))
    rows += [f"{key}:{'' if value[0] == chr(10) else ' '}{value}" for key, value in top.items()]
    return "\n".join(rows).replace("\n", draw(LINES)) + draw(st.sampled_from(["", "\n", "\n\n"]))


def place(tool: Tool) -> Place:
    """Where a tool that can be connected keeps its settings."""
    assert tool.place is not None
    return tool.place
