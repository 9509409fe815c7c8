import json

import pytest

from tests.cli.test_explain import CONFIG

PAY = '[[rules]]\nlabel = "path:payments/**"\nceiling = "device"\n'
INVOICES = '[[rules]]\nname = "inv"\nlabel = "path:payments/invoices/**"\nceiling = "network"\n'


@pytest.fixture
def file(home):
    path = home / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def test_a_clean_policy_is_0(halfdoor, file):
    said = halfdoor("policy", "check", file)
    assert (said.code, said.out) == (0, "0 errors, 0 warnings\n")


def test_a_shadowed_rule_is_a_warning_with_its_line(halfdoor, file):
    file.write_text(CONFIG + PAY + INVOICES)
    said = halfdoor("policy", "check", "--config", file)
    assert said.code == 0
    assert said.out == (
        "config.toml:26: warning: rule `inv` allows network, but `path:payments/**` "
        "(config.toml:23) holds all of it to device; hint: of two rules the stricter holds\n"
        "0 errors, 1 warning\n"
    )


def test_a_file_that_does_not_load_is_1_with_its_line_and_a_near_word(halfdoor, file):
    file.write_text(CONFIG + '[[rules]]\nlabel = "secrets"\nceiling = "device"\n')
    said = halfdoor("policy", "check", file, "--json")
    (finding,) = json.loads(said.out)
    assert said.code == 1
    assert (finding["where"], finding["code"]) == ("config.toml:24", "unreadable")
    assert "did you mean `secret`?" in finding["hint"]


def test_a_projects_file_is_looked_over_beside_the_users(halfdoor, file, home):
    shop = home / "shop"
    (shop / "payments").mkdir(parents=True)
    project = shop / ".halfdoor.toml"
    project.write_text(PAY + PAY.replace("payments", "paymets"))
    said = halfdoor("policy", "check", project, "--config", file)
    assert said.code == 0
    assert ".halfdoor.toml:4: warning: `path:paymets/**` matches nothing in the project" in said.out
    assert "(2 paths)" in said.out


def test_the_users_own_globs_are_compared_with_a_project_that_is_named(halfdoor, file, home):
    file.write_text(CONFIG + PAY)
    (home / "shop").mkdir()
    assert "matches nothing" in halfdoor("policy", "check", file, "--project", home / "shop").out
    assert "matches nothing" not in halfdoor("policy", "check", file).out


def test_nobody_for_every_request_is_an_error(halfdoor, file):
    file.write_text(
        CONFIG.replace('zone = "device"', 'zone = "network"') + PAY.replace("path:payments/**", "*")
    )
    said = halfdoor("policy", "check", file)
    assert said.code == 1
    assert "error: nobody may answer `claude-*`: nothing was sent: every request" in said.out


def test_without_a_configuration_models_are_not_guessed(halfdoor, home):
    said = halfdoor("policy", "check")
    assert said.code == 0
    assert "models and names were not looked at" in said.out


def test_a_projects_file_that_is_not_there_is_an_error_though_one_stands_further_up(halfdoor, home):
    (home / ".halfdoor.toml").write_text(PAY)
    (home / "shop").mkdir()
    said = halfdoor("policy", "check", home / "shop/.halfdoor.toml")
    assert (said.code, "there is no such file" in said.out) == (1, True)
