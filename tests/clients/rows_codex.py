"""What Codex makes of each trouble, as docs/reference/clients.md tells it and the tests run it."""

from tests.clients.rows import CLOSED, KEY_REFUSED, WORDS, Row, status
from tests.helpers.scenes import Cut, ErrorEvent, Garble

LIMITED = "exceeded retry limit, last status: 429 Too Many Requests"
UNREACHABLE = "halfdoor: tried `far`: backend `far` at 127.0.0.1:9 cannot be reached"
BUSY = "Selected model is at capacity. Please try a different model."
EVENTS = 8

ROWS = (
    status(400, WORDS),
    status(401, KEY_REFUSED.format(401)),
    status(403, KEY_REFUSED.format(403)),
    status(404, WORDS),
    status(429, LIMITED),
    status(429, LIMITED, 6, ("retry-after", "1")),
    status(500, LIMITED),
    status(503, BUSY, 5),
    status(529, LIMITED),
    Row("cut before the first event", Cut(0), 1, LIMITED),
    Row("error event in the stream", ErrorEvent(WORDS, EVENTS), 6, "stream disconnected"),
    Row("cut in the stream", Cut(EVENTS), 6, CLOSED),
    Row("garbled event", Garble(EVENTS), 6, "halfdoor: the stream ended early"),
)
