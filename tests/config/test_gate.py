"""A project says what its gate checks; what it leaves open is the user's."""

import pytest

from halfdoor.config.gate import project_gate
from halfdoor.config.load import load_user
from halfdoor.config.tables.gate import Gate
from halfdoor.errors import SetupError

USER = Gate(off=("format",), optional=("types",), noqa=True)


def test_the_projects_word_stands_and_the_rest_is_the_users():
    text = b'[gate]\noff = ["licence"]\nrequire_trace = true\n[[gate.paths]]\nmatch = "a/**"\n'
    found = project_gate(text, USER)
    assert (found.off, found.optional, found.noqa) == (("licence",), ("types",), True)
    assert (found.require_trace, found.paths[0].match) == (True, "a/**")


def test_without_a_projects_file_the_users_settings_hold():
    assert project_gate(None, USER) == USER
    assert project_gate(b"", USER) == USER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'[gate]\noff = ["lnt"]\n', "halfdoor.toml:2"),
        (b"[gate]\nrun = 'rm'\n", "unknown key `run`"),
        (b"[[gate.paths]]\nreview = true\n", "lacks `match`"),
        (b'[[gate.paths]]\nmatch = ""\n', "not written as it must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_line(text, said):
    with pytest.raises(SetupError, match=said):
        project_gate(text, USER)


def test_a_users_file_may_have_a_gate_of_its_own(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[gate]\nforbid_imports = ["pickle"]\n')
    assert load_user(file).gate.forbid_imports == ("pickle",)
