"""What Claude Code makes of each trouble, as docs/reference/clients.md tells it and the tests run it."""

from dataclasses import dataclass, field

from tests.helpers.scenes import Cut, ErrorEvent, Garble, Refuse, Say, Scene, Use

WORDS = "the backend's own words"
KEY_REFUSED = "halfdoor: backend `far` refused halfdoor's key ({})"
CLOSED = "halfdoor: backend `far` closed the connection before its answer was complete"
# What a turn's second failure is told as.
TWICE = "halfdoor: tried `far`: backend `far` answered {}: " + WORDS
TIRED = "nobody is asked again for this turn"
# Wire events of `story` up to a place inside its first block, and inside its second.
FIRST_BLOCK, SECOND_BLOCK = 4, 8
PATIENT = {"CLAUDE_CODE_MAX_RETRIES": "2"}


@dataclass(frozen=True, slots=True)
class Row:
    """posts: requests of one failing turn that reach halfdoor. calls: of the backend; 0: as many.

    happens: as the page words it. shown: what the user sees. variables: for the tool's run.
    """

    happens: str
    trouble: Refuse | Cut | ErrorEvent | Garble
    posts: int
    shown: str
    variables: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    def scene(self) -> Scene:
        """A spoken block, then a call that writes a file; the trouble comes over it."""
        return Scene((Say("Writing the file."), write()), trouble=self.trouble)

    def line(self) -> str:
        """Its line in the page's table."""
        return f"| {self.happens} | {self.posts} | {self.calls or self.posts} | {self.shown} |"


def write(path: str = "hello.txt", text: str = "Hello from a model.\n") -> Use:
    """Claude Code's own tool for a whole file."""
    return Use("Write", {"file_path": path, "content": text}, "toolu_01write")


def status(code: int, shown: str, posts: int = 1, *headers: tuple[str, str]) -> Row:
    told = "".join(f", `{name}: {value}`" for name, value in headers)
    return Row(f"{code}{told}", Refuse(code, WORDS, headers), posts, shown)


ROWS = (
    status(400, f"API Error: 400 {WORDS}"),
    status(401, KEY_REFUSED.format(401)),
    status(403, KEY_REFUSED.format(403)),
    status(404, "There's an issue with the selected model", 2),
    status(413, "Request too large"),
    status(429, f"API Error: Request rejected (429) · {WORDS}"),
    status(429, f"API Error: 400 {TWICE.format(429)}", 2, ("retry-after", "1")),
    status(500, f"API Error: 500 {WORDS}"),
    status(503, f"API Error: 503 {WORDS}"),
    status(529, f"API Error: 400 {TWICE.format(529)}", 2),
    Row("error event after a whole block", ErrorEvent(WORDS, SECOND_BLOCK), 1, WORDS),
    Row("cut after a whole block", Cut(SECOND_BLOCK), 1, CLOSED),
)
