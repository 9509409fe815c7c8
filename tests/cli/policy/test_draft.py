import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfdoor.cli.policy.draft import page
from halfdoor.cli.policy.gather import drafted_from
from halfdoor.config.load import load_project
from halfdoor.errors import SetupError

DENY = '{"permissions": {"deny": ["Read(./secrets/**)", "Bash(cat .env)", "WebFetch"]}}\n'


@pytest.fixture
def project(home):
    folder = home / "shop"
    (folder / ".claude").mkdir(parents=True)
    return folder


def labels(folder):
    return [rule.label for rule in drafted_from(folder, "device").rules]


def test_every_kind_of_file_is_read_and_each_rule_says_where_it_comes_from(halfdoor, project):
    (project / ".aiexclude").write_text("build/\n")
    (project / ".cursorignore").write_text("# mine\nsecrets/\n!secrets/public\n")
    (project / ".claude/settings.json").write_text(DENY)
    said = halfdoor("policy", "import", project)
    assert said.code == 0
    assert said.out == (
        "# Drafted by `halfdoor policy import`. A rule matches at any folder boundary and in any "
        "case, so it\n# holds at least what its line hid. Look it over: `halfdoor policy check`.\n"
        '\n# .aiexclude:1: build/\n[[rules]]\nlabel = "path:build/**"\nceiling = "device"\n'
        "\n# .cursorignore:2: secrets/\n# .claude/settings.json:1: Read(./secrets/**) (held at any "
        'depth, not only there)\n[[rules]]\nlabel = "path:secrets/**"\nceiling = "device"\n'
        '\n# .claude/settings.json:1: Bash(cat .env)\n[[rules]]\nlabel = "path:.env/**"\n'
        'ceiling = "device"\n'
        "\n# NOT IMPORTED .cursorignore:3: !secrets/public: allows again what another line hides; "
        "rules only tighten, so it stays held: narrow that line\n"
        "\n# NOT IMPORTED .claude/settings.json:1: WebFetch: denies a tool or an address, which is "
        "no file\n"
    )
    assert said.err.startswith("3 rules from 3 files\n2 lines not imported")


def test_the_draft_is_a_projects_file(halfdoor, project):
    (project / ".geminiignore").write_text("größe/\n*.pem\nprüfung\n")
    out = halfdoor("policy", "import", project, "--ceiling", "network").out
    (project / ".halfdoor.toml").write_text(out)
    rules = load_project(project / ".halfdoor.toml")
    assert [(rule.name, rule.label) for rule in rules] == [
        ("imported 1", "path:größe/**"),
        ("path:*.pem/**", "path:*.pem/**"),
        ("imported 2", "path:prüfung/**"),
    ]
    assert {rule.ceiling.name for rule in rules} == {"NETWORK"}


def test_nothing_is_written_unless_it_is_asked_for(halfdoor, project):
    (project / ".aiignore").write_text("a\n")
    halfdoor("policy", "import", project)
    assert not (project / ".halfdoor.toml").exists()
    said = halfdoor("policy", "import", project, "--write")
    assert f"1 rule added to {project}/.halfdoor.toml" in said.err
    assert load_project(project / ".halfdoor.toml")[0].label == "path:a/**"


def test_what_stands_in_the_file_stays_and_is_not_added_twice(halfdoor, project):
    file = project / ".halfdoor.toml"
    own = '# ours\n[[rules]]\nlabel = "path:a/**"\nceiling = "device"\nabove = "refuse"\n[gate]\n'
    file.write_text(own)
    file.chmod(0o640)
    (project / ".aiignore").write_text("a\nb\n")
    assert halfdoor("policy", "import", project, "--write").code == 0
    assert file.read_text().startswith(own)
    assert file.stat().st_mode & 0o777 == 0o640
    assert [rule.label for rule in load_project(file)] == ["path:a/**", "path:b/**"]
    after = file.read_text()
    said = halfdoor("policy", "import", project, "--write")
    assert ("nothing to add" in said.err, file.read_text()) == (True, after)
    assert "# already in .halfdoor.toml:2: path:a/**" in said.out


def test_a_rule_that_holds_less_is_joined_by_one_that_holds_more(halfdoor, project):
    file = project / ".halfdoor.toml"
    file.write_text('[[rules]]\nlabel = "path:a/**"\nceiling = "network"\n')
    (project / ".aiignore").write_text("a\n")
    assert halfdoor("policy", "import", project, "--write").code == 0
    assert [(r.name, r.ceiling.name) for r in load_project(file)] == [
        ("path:a/**", "NETWORK"),
        ("imported 1", "DEVICE"),
    ]
    (project / ".aiignore").write_text("a\ngröße\n")
    assert halfdoor("policy", "import", project, "--write").code == 0
    assert [r.name for r in load_project(file)][2:] == ["imported 2"]


def test_a_file_that_would_not_load_is_left_as_it_was(halfdoor, project):
    file = project / ".halfdoor.toml"
    (project / ".aiignore").write_text("b\n")
    own = 'rules = [{ label = "path:a/**", ceiling = "device" }]\n'
    file.write_text(own)
    assert halfdoor("policy", "import", project, "--write").code == 1
    assert file.read_text() == own


def test_a_projects_file_that_is_a_link_is_not_written(halfdoor, project, home):
    (project / ".aiignore").write_text("b\n")
    (home / "elsewhere.toml").write_text("")
    (project / ".halfdoor.toml").symlink_to(home / "elsewhere.toml")
    assert "is a link" in halfdoor("policy", "import", project, "--write").err
    assert (home / "elsewhere.toml").read_text() == ""


def test_a_link_out_of_the_project_is_not_read_and_the_exit_is_1(halfdoor, project, home):
    (home / "private").write_text("TOP SECRET\n")
    (project / ".aiignore").symlink_to(home / "private")
    (project / ".cursorignore").write_text("a\n")
    said = halfdoor("policy", "import", project)
    assert said.code == 1
    assert "SECRET" not in said.out + said.err
    assert "# NOT READ .aiignore: it is a link that leads out" in said.out


def test_a_folder_that_is_a_link_is_not_followed(project, home):
    (home / "far").mkdir()
    (home / "far/.aiignore").write_text("x\n")
    (project / "sub").symlink_to(home / "far")
    (project / ".claude").rmdir()
    (project / ".claude").symlink_to(home / "far")
    (home / "far/settings.json").write_text(DENY)
    made = drafted_from(project, "device")
    assert (made.rules, [one.where for one in made.unread]) == ((), [".claude/settings.json"])


def test_a_pipe_a_folder_and_a_file_without_end_are_told_and_not_waited_for(project):
    os.mkfifo(project / ".aiignore")
    (project / ".cursorignore").mkdir()
    (project / ".geminiignore").write_bytes(b"a\n" * 200_000)
    (project / ".clineignore").symlink_to(project / ".clineignore")
    (project / ".aiexclude").write_text("a\n")
    made = drafted_from(project, "device")
    assert labels(project) == ["path:a/**"]
    assert [one.where for one in made.unread] == [".aiignore", ".clineignore", ".geminiignore"]


def test_settings_that_are_no_json_are_told(halfdoor, project):
    (project / ".claude/settings.json").write_text("{")
    said = halfdoor("policy", "import", project)
    assert (said.code, "# NOT READ .claude/settings.json: " in said.out) == (1, True)


def test_files_in_folders_are_read_and_dependencies_are_not(project):
    for folder in ("web/app", "node_modules/x"):
        (project / folder).mkdir(parents=True)
        (project / folder / ".aiexclude").write_text("")
    assert labels(project) == ["path:web/app/**"]


def test_nothing_to_import_is_an_error_that_says_what_was_looked_for(halfdoor, project):
    said = halfdoor("policy", "import", project)
    assert said.code == 1
    assert ".clineignore, .claude/settings.json" in said.err


def test_what_steers_a_terminal_never_reaches_it(halfdoor, project):
    (project / ".aiignore").write_text("\x1b]0;x\x07\n!\x1b[31m\u202e\nok\\\x1b\n")
    said = halfdoor("policy", "import", project)
    assert said.code == 0
    assert "\x1b" not in said.out + said.err
    assert "\u202e" not in said.out + said.err


def test_json_tells_the_same(halfdoor, project):
    (project / ".aiignore").write_text("a\n!b\n")
    told = json.loads(halfdoor("policy", "import", project, "--json").out)
    assert told["files"] == [".aiignore"]
    assert told["rules"][0]["label"] == "path:a/**"
    assert told["rules"][0]["sources"][0]["where"] == ".aiignore:1"
    assert [one["where"] for one in told["unsaid"]] == [".aiignore:2"]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=80))
def test_whatever_stands_in_a_file_the_draft_loads(tmp_path, data):
    (tmp_path / ".cursorignore").write_bytes(data)
    (tmp_path / ".claude").mkdir(exist_ok=True)
    denied = {"permissions": {"deny": [f"Read({data.decode('latin-1')})"]}}
    (tmp_path / ".claude/settings.json").write_text(json.dumps(denied))
    draft = tmp_path / "draft.toml"
    draft.write_text(page(drafted_from(tmp_path, "device")), "utf-8")
    load_project(draft)


def test_names_and_lines_that_are_no_text_are_told_in_json_too(halfdoor, project):
    odd = project / os.fsdecode(b"w\xffb")
    odd.mkdir()
    for folder in (odd, project):
        (folder / ".cursorignore").write_bytes(b"a\n\xff\n")
    said = halfdoor("policy", "import", project, "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert told["files"] == [".cursorignore", "w?b/.cursorignore"]
    assert [rule["label"] for rule in told["rules"]] == ["path:a/**"]
    assert len(told["unsaid"]) == 3


def test_more_rules_than_anybody_looks_over_are_refused(project, monkeypatch):
    (project / ".aiignore").write_text("".join(f"a{n}\n" for n in range(5_001)))
    with pytest.raises(SetupError, match="more than 5,000"):
        drafted_from(project, "device")
