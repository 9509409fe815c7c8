"""What Codex makes of each trouble, as docs/reference/clients.md tells it and the tests run it."""

from tests.clients.rows import KEY_REFUSED, TIRED, TWICE, WORDS, Row, status
from tests.helpers.scenes import Cut, ErrorEvent, Garble

LIMITED = "exceeded retry limit, last status: 429 Too Many Requests"
UNREACHABLE = "halfdoor: tried `far`: backend `far` at 127.0.0.1:9 cannot be reached"
EVENTS = 8

ROWS = (
    status(400, WORDS),
    status(401, KEY_REFUSED.format(401)),
    status(403, KEY_REFUSED.format(403)),
    status(404, WORDS),
    status(429, LIMITED),
    status(429, TWICE.format(429), 2, ("retry-after", "1")),
    status(500, LIMITED),
    status(503, TWICE.format(503), 2),
    status(529, LIMITED),
    Row("cut before the first event", Cut(0), 1, LIMITED),
    Row("error event in the stream", ErrorEvent(WORDS, EVENTS), 3, TIRED, calls=2),
    Row("cut in the stream", Cut(EVENTS), 3, TIRED, calls=2),
    Row("garbled event", Garble(EVENTS), 3, TIRED, calls=2),
)
