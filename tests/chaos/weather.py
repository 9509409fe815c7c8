"""What backends do in bad weather, by name."""

from typing import Final

from tests.helpers.scenes import (
    Cut,
    ErrorEvent,
    Garble,
    Hang,
    Jumbled,
    Raw,
    Refuse,
    Reset,
    Say,
    Scene,
    Stall,
    Trouble,
    Use,
)

_PAGE: Final = b"<!doctype html><p>It works!</p>"
_OK: Final = b"HTTP/1.1 200 OK\r\n"
_SOON: Final = (("retry-after", "1"),)
_EVENTS: Final = b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

# Silence is longer than the time-outs that backends have here.
SILENCE_S: Final = 4.0

WAYS: Final[dict[str, Trouble]] = {
    "429": Refuse(429, "slow down"),
    "429, retry-after": Refuse(429, "slow down", _SOON),
    "500": Refuse(500, "it broke"),
    "503": Refuse(503, "not now"),
    "503, retry-after": Refuse(503, "not now", _SOON),
    "529": Refuse(529, "Overloaded"),
    "quota": Refuse(429, "You exceeded your current quota (insufficient_quota)"),
    "no credit": Refuse(400, "Your credit balance is too low to access the API."),
    "silence": Stall(SILENCE_S),
    "silence in the stream": Hang(6),
    "error event": ErrorEvent("Overloaded", 6),
    "error event at once": ErrorEvent("Overloaded", 0),
    "cut before the stream": Cut(0, inside=False),
    "cut in the stream": Cut(6),
    "cut in an event": Cut(7, inside=True),
    "garbled event": Garble(6),
    "events in the wrong order": Jumbled(),
    "reset": Reset(),
    "reset in the stream": Reset(begun=True),
    "endless 1xx": Raw(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", endless=True),
    "a web page": Raw(_OK + b"content-type: text/html\r\ncontent-length: 31\r\n\r\n" + _PAGE),
    "no HTTP": Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a broken chunk": Raw(_OK + _EVENTS + b"zz\r\nnonsense\r\n"),
    "an empty answer": Raw(_OK + b"content-type: application/json\r\ncontent-length: 0\r\n\r\n"),
}

_STORY: Final = (Say("Reading the file. " * 4), Use("Read", {"file_path": "a.py"}, "toolu_x1"))
TROUBLES: Final = {name: Scene(_STORY, way) for name, way in WAYS.items()}
