import os

import pytest

from halfdoor.detect.provenance import ProvenanceDetector
from halfdoor.errors import SetupError
from halfdoor.reading.passages import Passage
from halfdoor.store.index import FOLDER, Restricted, build, is_stale, load, save

KEY = b"k" * 32
LEDGER = "".join(
    f"def step{n}(total, rate{n}):\n    return total * rate{n} + fee_of(total, {n})\n"
    for n in range(9)
)
LICENCE = " ".join(f"term{n} of the licence" for n in range(40))


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    for name, text in {
        "payments/ledger.py": f"# {LICENCE}\n{LEDGER}",
        "app.py": f"# {LICENCE}\nprint(1)\n",
        "payments/logo.png": "\0\1",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def restricted(root, *globs, labels=()):
    return Restricted(str(root), globs or ("payments/**",), labels)


def labels(built, text):
    found = ProvenanceDetector((built.data,)).find(Passage("", texts=(text,)))
    return {label.name for label in found}


def test_the_text_of_a_restricted_file_is_known_and_no_other(project):
    built = build(restricted(project))
    assert (built.files, built.left_out, built.labels) == (1, 1, ("path:payments/**",))
    assert labels(built, LEDGER[60:300]) == {"path:payments/**"}
    assert labels(built, (project / "app.py").read_text()) == set()


def test_a_repositorys_label_is_on_every_file_but_its_licence(project):
    (project / "LICENSE").write_text(LICENCE)
    built = build(restricted(project, "nowhere/**", labels=("repo:core",)))
    assert labels(built, LEDGER) == {"repo:core"}
    assert labels(built, LICENCE) == set()


def test_it_is_stale_when_a_restricted_file_or_the_rules_change_and_then_only(project):
    what = restricted(project)
    built = build(what)
    (project / "app.py").write_text("print(2)\n")
    assert not is_stale(built)
    assert is_stale(built, restricted(project, "app.py"))
    os.utime(project / "payments/ledger.py", ns=(1, 1))
    assert is_stale(built)


def test_a_link_is_not_followed_and_dependencies_are_left_alone(project, tmp_path):
    (tmp_path / "other.py").write_text(LEDGER.replace("step", "stride"))
    (project / "payments/link.py").symlink_to(tmp_path / "other.py")
    (project / "payments/.venv").mkdir()
    (project / "payments/.venv/lib.py").write_text(LEDGER)
    assert build(restricted(project)).files == 1


def test_it_is_kept_without_text_names_or_fingerprints_in_clear(project, tmp_path):
    built = build(restricted(project))
    save(built, tmp_path, KEY)
    (file,) = (tmp_path / FOLDER).iterdir()
    raw = file.read_bytes() + file.name.encode()
    assert not any(word in raw for word in (b"ledger", b"payments", b"project", built.data[-64:]))
    assert file.stat().st_mode & 0o077 == 0
    assert load(tmp_path, KEY) == (built,)


def test_one_project_has_one_index_and_none_when_nothing_is_restricted(project, tmp_path):
    for what in (restricted(project), restricted(project, "app.py")):
        save(build(what), tmp_path, KEY)
    assert [built.labels for built in load(tmp_path, KEY)] == [("path:app.py",)]
    save(build(restricted(project, "nowhere/**")), tmp_path, KEY)
    assert load(tmp_path, KEY) == ()


@pytest.mark.parametrize(
    "harm", [lambda raw: raw[:-1], lambda raw: b"", lambda raw: raw[:40] + b"x" + raw[41:]]
)
def test_an_index_that_was_changed_is_refused_and_says_which(project, tmp_path, harm):
    save(build(restricted(project)), tmp_path, KEY)
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(harm(file.read_bytes()))
    with pytest.raises(SetupError, match=file.name):
        load(tmp_path, KEY)


def test_too_many_files_are_refused_with_a_hint(project, monkeypatch):
    monkeypatch.setattr("halfdoor.store.index.MOST_FILES", 1)
    with pytest.raises(SetupError, match="narrow the path rules"):
        build(restricted(project))
