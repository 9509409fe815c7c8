from halfdoor.verify.covering import Report, covering
from tests.helpers.checks import change

CODE = """\
LIMIT = 3


def one():
    return 1


class Two:
    @property
    def two(self):
        return 2

    def three(self):
        return [
            3,
        ]
"""
FUNCTIONS = ["a.py:4", "a.py:9", "a.py:13", "b.py:1"]
ENTERED = {
    "test_a.py::test_one": [0],
    "test_a.py::test_two[x-1]": [1],
    "test_a.py::test_two[y]": [1],
    "test_a.py::test_three": [2],
    "test_b.py::test_b": [3],
}
REPORT = Report({}, {}, FUNCTIONS, ENTERED)


def nodes(before, after):
    """Nodes to run when this text of the file becomes that."""
    assert before in CODE
    return covering([change("a.py", CODE.replace(before, after), CODE)], REPORT)


def test_a_changed_body_selects_the_tests_that_entered_it():
    assert nodes("return 1", "return 0") == ("test_a.py::test_one",)
    assert nodes("            3,", "            4,") == ("test_a.py::test_three",)


def test_a_changed_decorator_belongs_to_its_function_and_parameters_are_left_off():
    assert nodes("@property", "@cached_property") == ("test_a.py::test_two",)


def test_a_line_outside_functions_selects_every_test_that_enters_the_file():
    every = ("test_a.py::test_one", "test_a.py::test_three", "test_a.py::test_two")
    assert nodes("LIMIT = 3", "LIMIT = 4") == every
    assert covering([change("a.py", None, CODE)], REPORT) == every
    assert covering([change("a.py", "def one(", CODE.replace("one()", "one("))], REPORT) == every


def test_who_calls_what_is_gone_is_selected_though_no_line_of_it_changed():
    before = CODE + "\n\ndef four():\n    return one()\n"
    report = Report({}, {}, ["a.py:4", "a.py:19"], {"t_a.py::test_four": [1]})
    after = before.replace("def one():\n    return 1\n", "")
    assert covering([change("a.py", after, before)], report) == ("t_a.py::test_four",)


def test_what_is_added_selects_the_function_that_it_follows():
    assert nodes("return 1\n", "return 1\n\n\ndef new():\n    pass\n") == ("test_a.py::test_one",)


def test_a_changed_test_file_is_run_whole_and_a_deleted_one_not_at_all():
    changed = change("test_a.py", "def test_one(): ...", "")
    assert covering([changed], REPORT) == ("test_a.py",)
    gone = [change("test_a.py", None, ""), change("b.py", "def b(): 0", "def b(): 1")]
    assert covering(gone, REPORT) == ("test_b.py::test_b",)


def test_a_moved_file_is_known_by_the_name_it_had():
    moved = change("c.py", "def b(): 0", "def b(): 1", was="b.py")
    assert covering([moved], REPORT) == ("test_b.py::test_b",)


def test_what_holds_for_every_test_selects_the_whole_suite():
    assert covering([change("tests/conftest.py", "x = 1", "x = 2")], REPORT) is None


def test_what_no_test_enters_selects_none():
    assert covering([change("z.py", "def z(): 0", "def z(): 1")], REPORT) == ()
