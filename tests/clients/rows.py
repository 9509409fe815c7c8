"""What Claude Code makes of each trouble, as docs/reference/clients.md tells it and the tests run it."""

from dataclasses import dataclass, field

from tests.helpers.scenes import Cut, ErrorEvent, Garble, Refuse, Say, Scene, Use

WORDS = "the backend's own words"
KEY_REFUSED = "halfdoor: backend `far` refused halfdoor's key ({})"
CLOSED = "halfdoor: backend `far` closed the connection before its answer was complete"
# Wire events of `story` up to a place inside its first block, and inside its second.
FIRST_BLOCK, SECOND_BLOCK = 4, 8
PATIENT = {"CLAUDE_CODE_MAX_RETRIES": "2"}


@dataclass(frozen=True, slots=True)
class Row:
    """posts: requests of one failing turn that reach halfdoor, and the backend.

    happens: as the page words it. shown: what the user sees. variables: for the tool's run.
    """

    happens: str
    trouble: Refuse | Cut | ErrorEvent | Garble
    posts: int
    shown: str
    variables: dict[str, str] = field(default_factory=dict)

    def scene(self) -> Scene:
        """A spoken block, then a call that writes a file; the trouble comes over it."""
        return Scene((Say("Writing the file."), write()), trouble=self.trouble)

    def line(self) -> str:
        """Its line in the page's table."""
        return f"| {self.happens} | {self.posts} | {self.shown} |"


def write(path: str = "hello.txt", text: str = "Hello from a model.\n") -> Use:
    """Claude Code's own tool for a whole file."""
    return Use("Write", {"file_path": path, "content": text}, "toolu_01write")


def status(code: int, shown: str, posts: int = 1, *headers: tuple[str, str]) -> Row:
    told = "".join(f", `{name}: {value}`" for name, value in headers)
    return Row(f"{code}{told}", Refuse(code, WORDS, headers), posts, shown)


def patient(row: Row) -> Row:
    """The same under the client's own limit of two retries, so that a test is not three minutes."""
    happens = f"{row.happens} (under `CLAUDE_CODE_MAX_RETRIES=2`; 11 without)"
    return Row(happens, row.trouble, 3, row.shown, PATIENT)


ROWS = (
    status(400, f"API Error: 400 {WORDS}"),
    status(401, KEY_REFUSED.format(401)),
    status(403, KEY_REFUSED.format(403)),
    status(404, "There's an issue with the selected model", 2),
    status(413, "Request too large"),
    status(429, f"API Error: Request rejected (429) · {WORDS}"),
    patient(status(429, f"API Error: Request rejected (429) · {WORDS}", 3, ("retry-after", "1"))),
    status(500, f"API Error: 500 {WORDS}"),
    status(503, f"API Error: 503 {WORDS}"),
    patient(status(529, f"API Error: 529 {WORDS}")),
    Row("error event after a whole block", ErrorEvent(WORDS, SECOND_BLOCK), 1, WORDS),
    Row("cut after a whole block", Cut(SECOND_BLOCK), 1, CLOSED),
)
