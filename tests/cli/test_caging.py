from halfdoor.backends import guard
from halfdoor.cli.caging import sandbox
from halfdoor.runner.sandbox import Sandbox


class Lower(Sandbox):
    """A sandbox whose first rung does not work."""

    def __init__(self):
        super().__init__(guard.start_permit)
        self.reasons["bubblewrap"] = "it is not installed; hint: install the package `bubblewrap`"

    def rung(self):
        return "landlock"


def test_the_rung_in_use_is_told_and_why_no_stronger_one_is():
    found = sandbox(Lower())
    assert (found.state, found.about) == ("ok", "sandbox")
    assert found.said.startswith("landlock ")
    assert "install the package" in found.hint


def test_where_none_works_the_gate_is_said_to_skip():
    found = sandbox(Sandbox(guard.start_permit, only=()))
    assert found.state == "warn"
    assert "skips" in found.said
