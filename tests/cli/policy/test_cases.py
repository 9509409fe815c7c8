import json

import pytest

from halfdoor.cli.policy.cases import body_of, cases, judge
from halfdoor.config.parse import Source
from halfdoor.errors import SetupError
from tests.cli.test_explain import CONFIG, READS
from tests.helpers.house import AWS_KEY, DIALECTS, house

KEY = f'text = "the key is {AWS_KEY}"'
PAY = 'path = "payments/a.py"'
FREE = 'text = "write a docstring for ${HOME}"'


def read(text):
    return cases(Source("t.toml", text), (*DIALECTS, "ollama"))


def judged(asked, expect, *more):
    (case,) = read("\n".join(["[[case]]", 'name = "c"', asked, *more, f"expect = {{ {expect} }}"]))
    dialect, body = body_of(case, None)
    return judge(case, "t.toml:1", dialect, body, house())


MET = [
    (FREE, 'zone = "cloud"'),
    (FREE, "labels = []"),
    (FREE, 'rule = ""'),
    (FREE, "refused = false"),
    (KEY, 'zone = "device", rule = "secret", labels = ["secret"]'),
    (KEY, 'models = ["qwen", "llama"]'),
    (PAY, 'zone = "network", labels = ["path:payments/**"]'),
    (PAY + '\ndialect = "openai_chat"', 'zone = "network", labels = ["path:payments/**"]'),
    (PAY + '\nmodel = "sonnet"', "refused = true, models = []"),
    (f'{PAY}\ntext = "{AWS_KEY}"', 'labels = ["path:payments/**", "secret"]'),
    (f"body = '{json.dumps(READS)}'", 'labels = ["path:payments/**"]'),
    ('body = { model = "auto", messages = [{ role = "user", content = "hi" }] }', 'zone = "cloud"'),
]


@pytest.mark.parametrize(("asked", "expect"), MET)
def test_an_expectation_that_is_met_passes(asked, expect):
    assert judged(asked, expect).failures == ()


UNMET = [
    (FREE, 'zone = "device"', "zone is cloud, not device"),
    (FREE, "refused = true", "it may be seen by sonnet, gpt, office, qwen, llama"),
    (FREE, 'labels = ["secret"]', "labels are none, not secret"),
    (KEY, "labels = []", "labels are secret, not none"),
    (KEY, 'rule = "no-keys"', "rule is secret, not no-keys"),
    (KEY, 'models = ["llama", "qwen"]', "models are qwen, llama, not llama, qwen"),
    (PAY + '\nmodel = "sonnet"', 'zone = "device"', "zone is none, it is refused, not device"),
    (FREE + '\nmodel = "nobody"', "refused = true", "no model here answers to `nobody`"),
    ("body = '{\"model\": \"a\", \"model\": \"b\"}'", "refused = true", "holds the same key twice"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expect", "said"), UNMET)
def test_an_expectation_that_is_not_met_fails_with_what_was_found(asked, expect, said):
    (failure,) = judged(asked, expect).failures
    assert said in failure


WRONG = [
    ("", "there is no `[[case]]`"),
    ('[[case]]\nname = "c"\ntext = "x"\nexpect = {}', "t.toml:4: `c` expects nothing"),
    ('[[case]]\nname = "c"\nexpect = { refused = true }', "`c` has no request"),
    ('[[case]]\nname = "c"\ntext = "x"\nbody = "{}"\nexpect = { refused = true }', "`text` and `body`"),
    ('[[case]]\nname = "c"\nbody = "{}"\nmodel = "m"\nexpect = { refused = true }', "its own model"),
    ('[[case]]\nname = "c"\ntext = "x"\ndialect = "chat"\nexpect.refused = true', "t.toml:4: there is no dialect"),
    ('[[case]]\nname = "c"\ntext = "x"\ndialect = "ollama"\nexpect.refused = true', "t.toml:4: `text` and `path`"),
    ('[[case]]\nname = "c"\ntext = "x"\nexpect = { zone = "clud" }', "did you mean `cloud`?"),
    ('[[case]]\nname = "c"\ntext = "x"\nexpect = { lables = [] }', "did you mean `labels`?"),
    ('[[case]]\nname = "c"\nbody = 1\nexpect.refused = true', "t.toml:3: `body` must be"),
    ('[[case]]\ntext = "x"\nexpect.refused = true', "t.toml:1: `[[case]]` lacks `name`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_file_that_proves_nothing_or_cannot_be_meant_is_refused(text, said):
    with pytest.raises(SetupError) as caught:
        read(text)
    assert said in str(caught.value)


@pytest.fixture
def file(home):
    (home / "config.toml").write_text(CONFIG)
    (home / "config.toml").chmod(0o600)
    return home / "tests.toml"


TWO = f"""
[[case]]
name = "harmless"
text = "hello"
expect = {{ models = ["large", "small"] }}
model = "claude-x"
[[case]]
name = "wrong \\u001b[31m"
text = "{AWS_KEY}"
expect = {{ zone = "cloud" }}
"""


def test_each_case_is_told_and_one_that_fails_is_1(halfdoor, file):
    file.write_text(TWO)
    said = halfdoor("policy", "test", file, "--config", file.with_name("config.toml"))
    assert said.code == 1
    assert said.out == (
        "ok    harmless\nFAIL  wrong ?[31m (tests.toml:7)\n      zone is device, not cloud\n"
        "1 passed, 1 failed\n"
    )


def test_json_tells_what_was_found(halfdoor, file):
    file.write_text(TWO.partition('[[case]]\nname = "wrong')[0])
    said = halfdoor("policy", "test", file, "--config", file.with_name("config.toml"), "--json")
    assert said.code == 0
    assert json.loads(said.out) == [
        {
            "passed": True, "name": "harmless", "where": "tests.toml:2", "failures": [],
            "zone": "cloud", "models": ["large", "small"], "labels": [], "rule": "",
            "refused": False,
        }
    ]  # fmt: skip


def test_without_a_configuration_the_same_two_models_stand_in_everywhere(halfdoor, file, home):
    (home / ".halfdoor.toml").write_text('[[rules]]\nlabel = "path:pay/**"\nceiling = "device"\n')
    (home / "body.json").write_text(json.dumps(READS).replace("payments", "pay"))
    file.write_text(
        '[[case]]\nname = "pay"\nbody_file = "body.json"\nexpect = { models = ["scripted-local"] }\n'
    )
    said = halfdoor("policy", "test", file)
    assert (said.code, "scripted models" in said.out) == (0, True)
    assert not list(home.rglob("log.db"))


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_body_that_is_no_file_is_an_error_with_the_cases_line(halfdoor, file, name):
    file.write_text(f'\n[[case]]\nname = "c"\nbody_file = "{name}"\nexpect.refused = true\n')
    said = halfdoor("policy", "test", file)
    assert said.code == 1
    assert said.err.startswith("error: tests.toml:2: `")
