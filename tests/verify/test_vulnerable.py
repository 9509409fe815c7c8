"""New pins of versions with known advisories are found; without data the answer is unknown."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.pins import pins
from halfdoor.verify.vulnerable import Advisory, Known, Range, Vulnerable, order
from tests.helpers.checks import change, codes, judge, subject

LISTED = Advisory("GHSA-1", "reads any file", ("1.0", "1.1"))
SPAN = Advisory("GHSA-2", "runs code", (), (Range("2.0", "2.3"), Range("3.0", "", "3.1")))
KNOWN = {("PyPI", "a-b"): (LISTED,), ("PyPI", "span"): (SPAN,), ("npm", "@x/y"): (SPAN,)}


def check(*ecosystems, asked=False):
    known = Known(frozenset(ecosystems), lambda ecosystem, name: KNOWN.get((ecosystem, name), ()))
    return Vulnerable(lambda: known, asked=asked)


CHECK = check("PyPI", "npm")


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
        ("constraints.txt", "a-b==1.0\n"),
        ("pyproject.toml", "[project]\ndependencies = [\"a-b[x]==1.0 ; python_version > '3'\"]\n"),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\na-b = "1.0"\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\na-b = {version = "==1.0"}\n'),
        ("Pipfile", '[packages]\na-b = "==1.0"\n'),
        ("setup.cfg", "install_requires =\n    a-b==1.0\n"),
        ("setup.py", 'setup(install_requires=["a-b==1.0"])\n'),
        ("environment.yml", "dependencies:\n  - pip:\n    - a-b==1.0\n"),
    ],
)
def test_every_lock_is_read(path, text):
    assert found(path, text) == ["GHSA-1"]
    assert found(path, text.replace("1.0", "1.2").replace("1.1", "1.2")) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package-lock.json", '{"packages": {"node_modules/z/node_modules/@x/y": {"version": "2.1.0"}}}'),
        ("package-lock.json", '{"packages": {"node_modules/z": {"name": "@x/y", "version": "2.1.0"}}}'),
        ("package-lock.json", '{"dependencies": {"z": {"dependencies": {"@x/y": {"version": "2.1.0"}}}}}'),
        ("npm-shrinkwrap.json", '{"dependencies": {"z": {"version": "npm:@x/y@2.1.0"}}}'),
        ("package.json", '{"devDependencies": {"@x/y": "2.1.0", "z": "^2.1.0"}}'),
        ("yarn.lock", '"@x/y@^2.0.0", "@x/y@^2":\n  version "2.1.0"\n'),
        ("yarn.lock", '"@x/y@npm:^2.0.0":\n  version: 2.1.0\n'),
        ("yarn.lock", '"z@npm:@x/y@^2":\n  version "2.1.0"\n'),
        ("pnpm-lock.yaml", "packages:\n\n  '@x/y@2.1.0(c@2)':\n    x: y\n"),
        ("pnpm-lock.yaml", "packages:\n\n  /@x/y/2.1.0_c@2:\n    x: y\n"),
        ("bun.lock", '{\n  "packages": {\n    "z/@x/y": ["@x/y@2.1.0", ""],\n  }\n}\n'),
    ],
)  # fmt: skip
def test_other_ecosystems_have_advisories_of_their_own(path, text):
    """Locks of version 1, and those of yarn, pnpm and bun, were "no new pin"."""
    assert found(path, text) == ["GHSA-2"]
    assert found(path, text.replace("2.1.0", "2.4.0")) == []


LODASH = change("package-lock.json", '{"packages": {"node_modules/lodash": {"version": "4.17.0"}}}')
SAFE = change("requirements.txt", "safe==1.0\n")


@pytest.mark.parametrize(
    ("asked", "changes", "status"),
    [
        (False, (LODASH,), Status.NOT_APPLICABLE),
        (True, (LODASH,), Status.SKIPPED),
        (False, (LODASH, SAFE), Status.PASSED),
        (True, (LODASH, SAFE), Status.SKIPPED),
        (True, (SAFE,), Status.PASSED),
    ],
)
def test_a_pin_of_an_ecosystem_that_was_never_synced_is_unknown(asked, changes, status):
    """With PyPI's data alone, a vulnerable lodash was "passed 1 new pin"."""
    result = judge(check("PyPI", asked=asked), subject(*changes))
    assert (result.status, "no advisories of npm" in result.saw) == (status, LODASH in changes)


def test_a_finding_fails_beside_what_is_unknown():
    asked = subject(LODASH, change("requirements.txt", "a-b==1.0\n"))
    result = judge(check("PyPI", asked=True), asked)
    assert (codes(result), "no advisories of npm" in result.saw) == (["GHSA-1"], True)


@pytest.mark.parametrize(
    ("asked", "status"), [(False, Status.NOT_APPLICABLE), (True, Status.SKIPPED)]
)
def test_a_lock_that_is_not_read_is_named(asked, status):
    result = judge(check("PyPI", asked=asked), subject(change("b/Gemfile.lock", "rails (7.0)")))
    assert (result.status, "b/Gemfile.lock not read" in result.saw) == (status, True)


@pytest.mark.parametrize("run", ["@", "@/", "a@", "'", "npm:", '"a', "\n  ", "-", "[", "a==", "/1"])
@pytest.mark.parametrize("path", ["yarn.lock", "pnpm-lock.yaml", "bun.lock", "setup.py", "a.lock"])
def test_a_lock_of_one_long_line_is_read_in_one_go(path, run):
    assert len(list(pins(path, "  " + run * (1_000_000 // len(run))))) < 1_000_000


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
    asked_for = subject(change("requirements.txt", "a-b==1.0\n"))
    result = judge(check(asked=asked), asked_for)
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
