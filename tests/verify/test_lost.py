"""What counts as altered, and which tests that no longer run are missed."""

import pytest

from halfdoor.verify.altered import altered
from halfdoor.verify.covering import Report
from halfdoor.verify.lost import lost
from tests.helpers.checks import change

CODE = """\
import math

RATE = 2
LIMIT = RATE * 3


def double(x):
    return x * RATE


def root(x):
    return math.sqrt(x)


class Half:
    PART = 2

    def of(self, x):
        return x / self.PART


def capped(x):
    return min(x, LIMIT)
"""
DOUBLE, ROOT, HALF, CAPPED = (7, 8), (11, 12), (18, 19), (22, 23)


def spans(*swaps):
    """Where the functions stood that these (before, after) pairs alter."""
    text = CODE
    for before, after in swaps:
        assert before in text
        text = text.replace(before, after)
    return altered([change("a.py", text, CODE)])["a.py"]


def test_a_function_is_altered_when_it_says_something_else_and_not_when_it_moved():
    assert spans(("x * RATE", "x + RATE")) == (DOUBLE,)
    assert spans(("import math\n", "# so\n\nimport math\n")) == ()


def test_who_speaks_of_a_name_that_means_something_else_is_altered():
    assert spans(("    PART = 2", "    PART = 3")) == (HALF,)
    assert spans(("import math", "from own import math")) == (ROOT,)
    assert spans(("LIMIT = RATE", "LIMIT = 2 * RATE")) == (CAPPED,)


def test_what_statements_outside_functions_build_on_alters_the_whole_file():
    assert spans(("RATE = 2", "RATE = 3")) is None
    assert spans(("RATE = 2", "RATE = 2\nprint(RATE)")) is None
    assert spans(("class Half:", "class Half(")) is None


def test_what_goes_with_its_import_alters_nothing_else():
    assert spans(("def root(x):\n    return math.sqrt(x)\n", ""), ("import math\n", "")) == ()


def test_who_calls_what_is_gone_is_altered():
    before = "def one():\n    return 1\n\n\ndef two():\n    return one() + 1\n"
    after = "def two():\n    return one() + 1\n"
    assert altered([change("a.py", after, before)]) == {"a.py": ((5, 6),)}


def test_what_moved_to_another_file_is_altered_when_it_changed_on_the_way():
    body = "def one():\n    return 1\n"
    same = [change("a.py", None, body), change("b.py", body, None)]
    assert altered(same)["a.py"] == ()
    other = [change("a.py", None, body), change("b.py", body.replace("1", "2"), None)]
    assert altered(other)["a.py"] == ((1, 2),)


def missed(*changes, outcomes, broken=(), collected=(), entered=(0,), whole=False):
    """(codes, others) for one test, `test_a.py::test_one[1]`, that enters `a.py:1`."""
    node = "test_a.py::test_one[1]"
    before = Report({node: ("passed", 1, "")}, {}, ["a.py:1", "c.py:1"], {node: list(entered)})
    now = {node: (outcome, 3, "") for node, outcome in outcomes.items()}
    after = Report(now, dict.fromkeys(broken, ""), collected=list(collected))
    found = lost("tests", before, after, changes, lambda path: path == "tests/x.py", whole=whole)
    return [each.code for each in found.findings], found.others


BROKEN = change("a.py", "def f(): return 2\n", "def f(): return 1\n")


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        ({"outcomes": {"test_a.py::test_one[1]": "passed"}}, []),
        ({"outcomes": {"test_a.py::test_one[1]": "failed"}}, []),
        ({"outcomes": {"test_a.py::test_one[9]": "passed"}}, []),
        ({"outcomes": {}, "broken": ["test_a.py"]}, []),
        ({"outcomes": {}}, ["test-gone"]),
        ({"outcomes": {"test_a.py::test_one[1]": "skipped"}}, ["test-skipped"]),
        ({"outcomes": {"test_a.py::test_one[9]": "skipped"}}, ["test-gone"]),
        ({"outcomes": {"test_a.py::test_one[2]": "passed"},
          "collected": ["test_a.py::test_one[1]"]}, ["test-gone"]),
    ],
)  # fmt: skip
def test_a_test_is_missed_when_nothing_is_heard_of_it(told, codes):
    assert missed(BROKEN, **told)[0] == codes


def test_a_test_of_what_was_not_altered_is_counted_and_not_missed():
    gone = change("test_a.py", None, "def test_one(): ...\n")
    assert missed(gone, outcomes={}) == ([], 1)
    assert missed(BROKEN, gone, outcomes={}, entered=(1,)) == ([], 1)
    assert missed(BROKEN, outcomes={}, entered=(1,), whole=True) == ([], 1)
    assert missed(change("a.py", None, "def f(): return 1\n"), gone, outcomes={}) == ([], 1)


def test_a_test_whose_file_has_another_name_is_the_same_test():
    moved = change("test_b.py", "x", "x", was="test_a.py")
    assert missed(BROKEN, moved, outcomes={"test_b.py::test_one[1]": "passed"}) == ([], 0)
    assert missed(BROKEN, moved, outcomes={}) == (["test-gone"], 0)
