"""The project that the demo's tools work on, and how those tools word their requests.

Everything here was written for the demo. The key is its vendor's own documentation example.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

Json = dict[str, Any]

# In two halves, so that no scanner takes this file for a leak.
KEY: Final = "AKIA" + "IOSFODNN7EXAMPLE"
# Stands in payments/refund.py and nowhere else.
RESTRICTED: Final = "REFUND_LIMIT_CENTS"

ENV: Final = f"""\
# deploy/.env
AWS_ACCESS_KEY_ID={KEY}
AWS_REGION=eu-west-1
UPLOAD_BUCKET=shop-invoices
UPLOAD_TIMEOUT_S=5
"""

REFUND: Final = f"""\
from payments.ledger import Ledger, Posting

{RESTRICTED} = 50_000


def refund(ledger: Ledger, order_id: str, cents: int) -> Posting:
    if cents > {RESTRICTED}:
        raise PermissionError("a person must approve this refund")
    return ledger.post(order_id, -cents, reason="refund")
"""

PRICE: Final = """\
from decimal import ROUND_HALF_UP, Decimal


def gross(net: Decimal, rate: Decimal) -> Decimal:
    return (net * (1 + rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
"""

CART: Final = """\
from dataclasses import dataclass, field
from decimal import Decimal

from shop.price import gross


@dataclass
class Line:
    sku: str
    count: int
    net: Decimal


@dataclass
class Cart:
    rate: Decimal
    lines: list[Line] = field(default_factory=list)

    def total(self) -> Decimal:
        return sum((gross(line.net, self.rate) * line.count for line in self.lines), Decimal(0))
"""

INVOICE: Final = """\
from shop.cart import Cart


def render(cart: Cart, number: str) -> str:
    rows = [f"{line.count:>4} x {line.sku:<20} {line.net:>10}" for line in cart.lines]
    return "\\n".join([f"Invoice {number}", *rows, f"Total {cart.total():>31}"])
"""

TEST_CART: Final = """\
from decimal import Decimal

from shop.cart import Cart, Line


def test_a_cart_adds_its_lines_with_tax():
    cart = Cart(Decimal("0.19"), [Line("tea", 2, Decimal("3.10"))])
    assert cart.total() == Decimal("7.38")
"""

DOCSTRING: Final = """\
shop/price.py
```python
<<<<<<< SEARCH
def gross(net: Decimal, rate: Decimal) -> Decimal:
=======
def gross(net: Decimal, rate: Decimal) -> Decimal:
    \"\"\"A net price with tax, rounded to the cent.\"\"\"
>>>>>>> REPLACE
```
"""

ABOUT_ENV: Final = (
    "The upload fails because deploy/.env allows it 5 seconds and a full month of invoices takes "
    "about 40. Raise UPLOAD_TIMEOUT_S to 120; the key, the bucket and the region are in order."
)

_SYSTEM: Final = (
    "You are a coding assistant in a terminal. Read before you change, and change little.",
    "Working directory: /home/dev/shop. Git branch: main, clean. Python 3.12, pytest, ruff.",
)

_TOOLS: Final = (
    (
        "Read",
        "Read a file. Lines are numbered from 1.",
        {"file_path": "string", "limit": "integer"},
    ),
    (
        "Edit",
        "Replace one exact occurrence of a string in a file.",
        {"file_path": "string", "old_string": "string", "new_string": "string"},
    ),
    ("Grep", "Search files with a regular expression.", {"pattern": "string", "path": "string"}),
    ("Bash", "Run a command and return its output.", {"command": "string", "timeout": "integer"}),
)


def claude_code(*messages: Json, model: str = "claude-sonnet-5", stream: bool = False) -> bytes:
    """A turn as a Messages tool sends it: cached system blocks, tools, history."""
    body = {
        "model": model,
        "max_tokens": 8192,
        "system": [_cached(text) for text in _SYSTEM],
        "tools": [
            {"name": name, "description": said, "input_schema": _schema(fields)}
            for name, said, fields in _TOOLS
        ],
        "messages": messages,
        "metadata": {"user_id": "user_demo_session_0001"},
        "stream": stream,
    }
    return msgspec.json.encode(body)


def open_code(*messages: Json, model: str = "gpt-coder", stream: bool = False) -> bytes:
    """A turn as a Chat Completions tool sends it: functions, and arguments as text."""
    body = {
        "model": model,
        "messages": [{"role": "system", "content": "\n".join(_SYSTEM)}, *messages],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": name.lower(),
                    "description": said,
                    "parameters": _schema(fields),
                },
            }
            for name, said, fields in _TOOLS
        ],
        "stream": stream,
    }
    return msgspec.json.encode(body)


def aider(file: str, content: str, wish: str, *, model: str = "gpt-coder") -> bytes:
    """A turn as Aider sends it: no tools, the file in the prompt, edits asked for as blocks."""
    messages = [
        {
            "role": "system",
            "content": "Act as an expert software developer. Answer with SEARCH/REPLACE blocks, "
            "each under its file's name, and change nothing that was not asked for.",
        },
        {
            "role": "user",
            "content": f"I added these files to the chat:\n\n{file}\n```\n{content}```",
        },
        {"role": "assistant", "content": "Ok, any changes I propose will be to those files."},
        {"role": "user", "content": wish},
    ]
    return msgspec.json.encode({"model": model, "messages": messages, "temperature": 0})


def says(text: str) -> Json:
    """The user."""
    return {"role": "user", "content": text}


def said(text: str) -> Json:
    """The model, earlier."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def read(*files: tuple[str, str]) -> tuple[Json, Json]:
    """The model called Read for each (path, content), and the tool answered; for Messages."""
    ids = [f"toolu_{at:02}" for at, _ in enumerate(files, 1)]
    calls = [
        {"type": "tool_use", "id": call, "name": "Read", "input": {"file_path": path}}
        for call, (path, _) in zip(ids, files, strict=True)
    ]
    results = [
        {"type": "tool_result", "tool_use_id": call, "content": _numbered(content)}
        for call, (_, content) in zip(ids, files, strict=True)
    ]
    return {"role": "assistant", "content": calls}, {"role": "user", "content": results}


def read_by_chat(path: str, content: str) -> tuple[Json, Json]:
    """The same of one file, for Chat Completions."""
    arguments = msgspec.json.encode({"file_path": path}).decode()
    call = {
        "id": "call_01",
        "type": "function",
        "function": {"name": "read", "arguments": arguments},
    }
    return (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_01", "content": _numbered(content)},
    )


def edit(path: str, old: str, new: str) -> str:
    """An Edit call's arguments, as JSON text."""
    arguments = {"file_path": path, "old_string": old, "new_string": new}
    return msgspec.json.encode(arguments).decode()


def _cached(text: str) -> Json:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}


def _schema(fields: dict[str, str]) -> Json:
    properties = {name: {"type": kind} for name, kind in fields.items()}
    return {"type": "object", "properties": properties, "required": _first(list(fields))}


def _first(names: Sequence[str]) -> list[str]:
    """An optional number stands last in `Read` and `Bash`."""
    return [name for name in names if name not in {"limit", "timeout"}]


def _numbered(content: str) -> str:
    return "\n".join(f"{at:>6}\t{line}" for at, line in enumerate(content.splitlines(), 1))
