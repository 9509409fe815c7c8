import asyncio
import json

import pytest
from typer.testing import CliRunner

from halfdoor.cli.policy import app
from halfdoor.cli.restricted import restricted, warnings
from halfdoor.config.load import load
from halfdoor.errors import SetupError
from halfdoor.wiring import assemble
from tests.helpers.house import messages_body

LEDGER = "".join(
    f"def step{n}(total, rate{n}):\n    return total * rate{n} + fee_of(total, {n})\n"
    for n in range(9)
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "shop"
    (root / "payments").mkdir(parents=True)
    (root / "payments/ledger.py").write_text(LEDGER)
    (root / ".halfdoor.toml").write_text(
        '[[rules]]\nlabel = "path:payments/**"\nceiling = "device"\n'
    )
    config = tmp_path / "config.toml"
    config.write_text(f'[server]\nstate_dir = "{tmp_path / "state"}"\n')
    config.chmod(0o600)
    return root


def run(project, *words):
    config = project.parent / "config.toml"
    return CliRunner().invoke(
        app, ["index", "--config", str(config), "--project", str(project), *words]
    )


def loaded(project):
    return load(project.parent / "config.toml", project, {"HOME": str(project.parent)})


def test_it_says_what_it_indexed_and_whether_that_still_holds(project):
    assert run(project, "--check").exit_code == 3
    told = json.loads(run(project, "--json").stdout)
    assert (told["state"], told["files"], told["labels"]) == ("fresh", 1, ["path:payments/**"])
    assert run(project, "--check").exit_code == 0
    (project / "payments/ledger.py").write_text(LEDGER * 2)
    checked = run(project, "--check", "--json")
    assert (checked.exit_code, json.loads(checked.stdout)["state"]) == (3, "stale")


def test_people_read_it_too(project):
    assert "fresh, 1 file" in run(project).stdout
    (project / ".halfdoor.toml").unlink()
    assert "no rule restricts a file" in run(project).stdout


def test_serve_warns_of_a_stale_index_and_of_no_other(project):
    run(project)
    assert list(warnings(loaded(project), project)) == []
    (project / "payments/tax.py").write_text(LEDGER)
    assert "policy index" in next(warnings(loaded(project), project))


def test_a_look_that_is_broken_off_finds_nothing_stale(project):
    run(project)
    (project / "payments/tax.py").write_text(LEDGER)
    assert list(warnings(loaded(project), project, lambda: False)) == []


def test_a_home_is_no_project(project):
    with pytest.raises(SetupError, match="is no project"):
        restricted(load(None, None, {"HOME": str(project.parent)}), project.parent)


def test_a_root_is_the_folder_of_the_projects_file_or_of_its_checkout(project):
    assert restricted(loaded(project), project / "payments").root == str(project)
    (project / ".halfdoor.toml").unlink()
    (project / ".git").mkdir()
    assert restricted(loaded(project), project / "payments").root == str(project)


async def test_the_gateway_knows_the_text_of_an_indexed_file(project):
    await asyncio.to_thread(run, project)
    both = await asyncio.to_thread(loaded, project)
    gateway = await asyncio.to_thread(assemble, both, both.state_dir)
    body = messages_body(f"What does this do?\n{LEDGER[60:400]}")
    read = gateway.house.dialects["anthropic_messages"].read("/v1/messages", (), "", body)
    labels = {
        (label.name, label.place, label.detector)
        for label in gateway.house.surveyor.survey(read).labels
    }
    assert labels == {("path:payments/**", "messages[0]", "provenance")}
    changed = await asyncio.to_thread(gateway.changed, both)
    assert changed.house.surveyor.survey(read).labels
    await gateway.close()
