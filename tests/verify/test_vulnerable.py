"""New pins of versions with known advisories are found; without data the answer is unknown."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.vulnerable import Advisory, Range, Vulnerable, order
from tests.helpers.checks import change, codes, judge, subject

LISTED = Advisory("GHSA-1", "reads any file", ("1.0", "1.1"))
SPAN = Advisory("GHSA-2", "runs code", (), (Range("2.0", "2.3"), Range("3.0", "", "3.1")))
KNOWN = {("PyPI", "a-b"): (LISTED,), ("PyPI", "span"): (SPAN,), ("npm", "@x/y"): (SPAN,)}
CHECK = Vulnerable(lambda: lambda ecosystem, name: KNOWN.get((ecosystem, name), ()))


def found(path, text, before=None):
    return codes(judge(CHECK, subject(change(path, text, before))))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "A_b[x]==1.0 ; python_version > '3'\n"),
        ("requirements.lock", "a.b==1.1 \\\n    --hash=sha256:00\n"),
        ("uv.lock", '[[package]]\nname = "a-b"\nversion = "1.0"\n'),
        ("pylock.toml", '[[packages]]\nname = "a-b"\nversion = "1.0"\n'),
        ("Pipfile.lock", '{"default": {"a-b": {"version": "==1.0"}}}'),
    ],
)
def test_every_lock_is_read(path, text):
    assert found(path, text) == ["GHSA-1"]
    assert found(path, text.replace("1.0", "1.2").replace("1.1", "1.2")) == []


def test_other_ecosystems_have_advisories_of_their_own():
    lock = '{"packages": {"": {}, "node_modules/z/node_modules/@x/y": {"version": "2.1.0"}}}'
    assert found("package-lock.json", lock) == ["GHSA-2"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.9", False), ("2.0", True), ("2.0rc1", False), ("2.2.9", True), ("2.3rc1", True),
     ("2.3", False), ("2.3.post1", False), ("2.10", False), ("3.1", True), ("3.1.1", False)],
)  # fmt: skip
def test_ranges_end_below_what_mends_them(version, expected):
    assert bool(found("requirements.txt", f"span=={version}\n")) is expected


def test_a_finding_says_which_version_mends_it():
    asked = subject(change("requirements.txt", "x==1\nspan==2.1\n"))
    (finding,) = judge(CHECK, asked).findings
    assert (finding.line, finding.hint) == (2, "use 2.3 or later")


def test_a_pin_that_was_there_is_not_the_changes_doing():
    assert found("requirements.txt", "x==1\na-b==1.0\n", "a-b==1.0\n") == []


@pytest.mark.parametrize(
    ("asked", "status"), [(False, Status.NOT_APPLICABLE), (True, Status.SKIPPED)]
)
def test_without_data_the_answer_is_unknown_and_a_skip_where_it_was_asked_for(asked, status):
    check = Vulnerable(lambda: None, asked=asked)
    result = judge(check, subject(change("requirements.txt", "a-b==1.0\n")))
    assert (result.status, result.saw.startswith("unknown")) == (status, True)


def test_data_that_cannot_be_read_skips_the_check():
    def broken():
        raise OSError("no disk")

    result = judge(Vulnerable(broken), subject(change("requirements.txt", "a-b==1.0\n")))
    assert result.status is Status.SKIPPED


def test_versions_sort_as_they_were_published():
    rising = [
        "1.0.dev1",
        "1.0a1",
        "1.0b2",
        "1.0rc1",
        "1.0",
        "1.0.post1",
        "1.0.1",
        "1.2",
        "1.10",
        "2",
    ]
    assert sorted(rising, key=order) == rising
    assert order("1.0") == order("1.0.0") == order("v1")
