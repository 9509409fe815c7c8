"""What `doctor` says of the sandbox in which the gate runs a project's own code."""

from halfdoor.backends.guard import start_permit
from halfdoor.cli.checkup import Finding
from halfdoor.runner.sandbox import Sandbox


def sandbox(box: Sandbox | None = None) -> Finding:
    """The rung that works here, and what would bring a stronger one. box: asked for ours."""
    box = box or Sandbox(start_permit)
    rung = box.rung()
    why = "; ".join(f"{name}: {said}" for name, said in box.reasons.items())
    if not rung:
        said = "none works here: `halfdoor gate` skips what would run the project's code"
        return Finding("warn", "sandbox", said, why)
    return Finding("ok", "sandbox", f"{rung} keeps the code that `halfdoor gate` runs", why)
