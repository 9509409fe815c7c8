"""Modules that Node.js brings (its documentation, 2026-11; deprecated ones too)."""

from typing import Final

_PLAIN: Final = frozenset(
    {"_http_agent", "_http_client", "_http_common", "_http_incoming", "_http_outgoing"}
    | {"_http_server", "_stream_duplex", "_stream_passthrough", "_stream_readable"}
    | {"_stream_transform", "_stream_wrap", "_stream_writable", "_tls_common", "_tls_wrap"}
    | {"assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console"}
    | {"constants", "crypto", "dgram", "diagnostics_channel", "dns", "dns/promises", "domain"}
    | {"events", "fs", "fs/promises", "http", "http2", "https", "inspector", "inspector/promises"}
    | {"module", "net", "os", "path", "path/posix", "path/win32", "perf_hooks", "process"}
    | {"punycode", "querystring", "readline", "readline/promises", "repl", "stream"}
    | {"stream/consumers", "stream/promises", "stream/web", "string_decoder", "sys", "timers"}
    | {"timers/promises", "tls", "trace_events", "tty", "url", "util", "util/types", "v8", "vm"}
    | {"wasi", "worker_threads", "zlib"}
)
# These are there under `node:` alone.
_PREFIXED: Final = frozenset({"ffi", "quic", "sea", "sqlite", "test", "test/reporters"})


def is_builtin(name: str) -> bool:
    """Does Node.js bring a module of this name? With or without `node:`."""
    bare = name.removeprefix("node:")
    return bare in _PLAIN or (bare in _PREFIXED and bare != name)
