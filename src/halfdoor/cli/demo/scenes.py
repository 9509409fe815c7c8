"""What the demo plays, in order: who asks, with which text, what the models do, what must come."""

from dataclasses import dataclass
from typing import Final

from halfdoor.backends.scripted import Turn
from halfdoor.canon.commands import FaultKind
from halfdoor.cli.demo import coding
from halfdoor.cli.demo.coding import claude_code, edit, read, says

MESSAGES: Final = "/v1/messages"
CHAT: Final = "/v1/chat/completions"
NEAR: Final = "qwen-local"
FAR: Final = "claude-cloud"

# The configuration that the demo's gateway runs with; ports and folder are filled in.
CONFIG: Final = """\
[server]
listen = "127.0.0.1:0"
state_dir = "{state}"

[[backends]]
name = "engine"
dialect = "openai_chat"
url = "http://127.0.0.1:{near}/v1"
zone = "device"

[[backends]]
name = "anthropic"
dialect = "anthropic_messages"
url = "http://127.0.0.1:{far}"
zone = "cloud"

[[models]]
name = "qwen-local"
backend = "engine"
id = "qwen3-coder:30b"

[[models]]
name = "claude-cloud"
backend = "anthropic"
id = "claude-sonnet-5"

[[names]]
match = "local-*"
choose = ["qwen-local", "claude-cloud"]

[[names]]
match = "*"
choose = ["claude-cloud", "qwen-local"]

[[rules]]
label = "path:payments/**"
ceiling = "device"
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """One request and what must become of it.

    agent: the tool's `User-Agent`. plays: (model, what it does), each for one call, in order.
    status: what the tool must get. model: who must answer, "" for nobody. holds: what must stand
    in the answer. session: the tool's id for its conversation.
    """

    title: str
    agent: str
    path: str
    body: bytes
    plays: tuple[tuple[str, Turn], ...]
    status: int = 200
    model: str = ""
    holds: bytes = b""
    session: str = ""


_CLAUDE_CODE: Final = "claude-cli/2.1.197 (external, cli)"
_UPLOAD: Final = "nightly-upload"
_DIES: Final = Turn(fails=FaultKind.CUT)
_BUSY: Final = Turn(status=429, headers=(("retry-after", "30"),))
_ENV_READ: Final = read(("deploy/.env", coding.ENV))

SCENES: Final = (
    Scene(
        "Aider asks for a docstring",
        "aider/0.86",
        CHAT,
        coding.aider("shop/price.py", coding.PRICE, "Add a one-line docstring to gross()."),
        ((FAR, Turn(text=coding.DOCSTRING)),),
        model=FAR,
    ),
    Scene(
        "Claude Code reads .env: an AWS key",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(says("Why does the nightly upload fail?"), *_ENV_READ, stream=True),
        ((NEAR, Turn(text=coding.ABOUT_ENV)),),
        model=NEAR,
        holds=b"UPLOAD_TIMEOUT_S",
        session=_UPLOAD,
    ),
    Scene(
        "Later: .env is cut, its summary remains",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(
            says("Why does the nightly upload fail?"),
            coding.said(coding.ABOUT_ENV),
            says("Write that up as a commit message."),
        ),
        ((NEAR, Turn(text="Give the nightly upload 120 s instead of 5")),),
        model=NEAR,
        session=_UPLOAD,
    ),
    Scene(
        "Claude Code reads payments/refund.py",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(
            says("Is there a limit on refunds?"),
            *read(("/home/dev/shop/payments/refund.py", coding.REFUND)),
        ),
        ((NEAR, Turn(text="Yes: above the limit, a person must approve the refund.")),),
        model=NEAR,
    ),
    Scene(
        "Claude Code refactors four files",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(
            says("Rename Cart.rate to tax_rate, everywhere."),
            *read(
                ("shop/price.py", coding.PRICE),
                ("shop/cart.py", coding.CART),
                ("shop/invoice.py", coding.INVOICE),
                ("tests/test_cart.py", coding.TEST_CART),
            ),
            stream=True,
        ),
        (
            (
                FAR,
                Turn(
                    text="Two places use it.",
                    calls=(
                        ("toolu_11", "Edit", edit("shop/cart.py", "rate: D", "tax_rate: D")),
                        ("toolu_12", "Edit", edit("shop/cart.py", "self.rate", "self.tax_rate")),
                    ),
                ),
            ),
        ),
        model=FAR,
        holds=b"toolu_12",
    ),
    Scene(
        "OpenCode, and the cloud says 429",
        "opencode/1.18",
        CHAT,
        coding.open_code(says("Explain."), *coding.read_by_chat("shop/invoice.py", coding.INVOICE)),
        ((FAR, _BUSY), (NEAR, Turn(text="It renders a cart as plain text, one row a line."))),
        model=NEAR,
    ),
    Scene(
        "The local engine dies, text is harmless",
        "aider/0.86",
        CHAT,
        coding.aider("shop/cart.py", coding.CART, "Type it strictly.", model="local-coder"),
        ((NEAR, _DIES), (FAR, Turn(text="It is strictly typed already."))),
        model=FAR,
    ),
    Scene(
        "The local engine dies, text holds the key",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(says("Why does the nightly upload fail?"), *_ENV_READ),
        ((NEAR, _DIES),),
        status=400,
        holds=b"no permitted model could answer",
    ),
    Scene(
        "payments/ pinned to the cloud model",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(
            says("Review this."),
            *read(("payments/refund.py", coding.REFUND)),
            model=FAR,
        ),
        (),
        status=400,
        holds=b"nothing was sent",
    ),
    Scene(
        "A local tool call, streamed, translated",
        _CLAUDE_CODE,
        MESSAGES,
        claude_code(
            says("Raise the default tax rate in shop/price.py."),
            *read(("shop/price.py", coding.PRICE)),
            model=NEAR,
            stream=True,
        ),
        ((NEAR, Turn(calls=(("call_21", "Edit", edit("shop/price.py", "1 +", "2 +")),))),),
        model=NEAR,
        holds=b"tool_use",
    ),
)
