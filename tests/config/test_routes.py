import pytest

from halfdoor.canon.asks import Agent, Task
from halfdoor.config.load import load, load_project
from halfdoor.config.presets import PRESETS
from halfdoor.config.reload import obstacles
from halfdoor.errors import SetupError

BASE = """
[[backends]]
name = "near"
dialect = "openai_chat"
url = "http://127.0.0.1:8000/v1"
zone = "device"
[[models]]
name = "m"
backend = "near"
id = "m"
"""
ROUTE = '[[routes]]\nname = "r"\nstrategy = "cheapest"\n'


def read(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load(file, None, {"HOME": str(tmp_path)})


def test_a_route_is_read_with_all_it_may_say(tmp_path):
    route = read(
        tmp_path,
        BASE
        + """
[[routes]]
name = "all"
models = ["m"]
strategy = "local_first"
only = true
[routes.match]
agent = ["main", "subagent"]
task = ["fix"]
tool = ["claude"]
language = ["python", "several"]
path = ["payments/**"]
context_over = 10
context_under = 20
time = ["22:00-06:30", "12:00-12:30"]
model = ["claude-*"]
project = ["billing"]
token = ["ci"]
[routes.set]
temperature = 0.5
top_p = 1.0
seed = 7
stop = ["END"]
system = "Be brief."
""",
    ).config.routes[0]
    match, told = route.match, route.parameters
    assert (route.models, route.strategy, route.only) == (("m",), "local_first", True)
    assert route.source == "config.toml:12"
    assert (match.agents, match.tasks) == ((Agent.MAIN, Agent.SUBAGENT), (Task.FIX,))
    assert (match.languages, match.paths) == (("python", "several"), ("payments/**",))
    assert (match.context_over, match.context_under) == (10, 20)
    assert match.hours == ((1320, 390), (720, 750))
    assert (match.tools, match.models, match.projects, match.tokens) == (
        ("claude",),
        ("claude-*",),
        ("billing",),
        ("ci",),
    )
    assert (told.temperature, told.top_p, told.seed, told.stop) == (0.5, 1.0, 7, ("END",))
    assert told.system == "Be brief."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('models = ["x"]\n', "config.toml:13: route `r` names `x`, which is no model"),
        ("only = true\n", "route `r` says `only` and names no model"),
        ("", "route `r` changes nothing"),
        ('strategy = "cheap"\n', "`strategy` is `cheap`; hint: did you mean `cheapest`?"),
        ('models = ["m"]\nmatch = { language = ["pyton"] }\n', "did you mean `python`?"),
        ('models = ["m"]\nmatch = { path = ["/etc/**"] }\n', "begins at the root"),
        ('models = ["m"]\nmatch = { path = ["../x"] }\n', "has an empty, `.` or `..` step"),
        ('models = ["m"]\nmatch = { time = ["9-17"] }\n', "`time` is not written as it must be"),
        ('models = ["m"]\nmatch = { task = ["fixx"] }\n', "`task`"),
        ('models = ["m"]\nmatch = { context_over = 9, context_under = 10 }\n', "no request has"),
        ('models = ["m"]\nmatch = { mode = ["x"] }\n', "did you mean `model`?"),
        ("set = { temperature = 3.0 }\n", "`temperature` must be <= 2.0"),
        ('name = "r"\nstrategy = "prefer"\n', ""),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(tmp_path, text, message):
    with pytest.raises(SetupError) as caught:
        read(tmp_path, f'{BASE}[[routes]]\nname = "r"\n{text}')
    assert message in str(caught.value)
    assert str(caught.value).startswith("config.toml:")


def test_two_routes_have_two_names(tmp_path):
    with pytest.raises(SetupError, match="two `\\[\\[routes\\]\\]` are called `r`"):
        read(tmp_path, BASE + ROUTE + ROUTE)


def test_a_project_has_no_say_in_the_choice(tmp_path):
    for text in (ROUTE, '[routing]\nstrategy = "cloud_first"\n'):
        file = tmp_path / ".halfdoor.toml"
        file.write_text(text)
        with pytest.raises(SetupError, match="unknown key"):
            load_project(file)


def test_a_reload_may_change_routes_but_not_tell_models_something_new(tmp_path):
    said = BASE + ROUTE + 'set = { system = "Be brief." }\n'
    old, plain = read(tmp_path, said), read(tmp_path, BASE + ROUTE)
    assert obstacles(read(tmp_path, BASE), plain) == ()
    assert obstacles(old, plain) == ()
    assert obstacles(old, read(tmp_path, said.replace('"r"', '"other"'))) == ()
    assert obstacles(plain, old) == ("route `r` would tell models something new",)
    assert obstacles(old, read(tmp_path, said.replace("brief", "long"))) != ()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_every_preset_loads_below_a_configuration(tmp_path, preset):
    loaded = read(tmp_path, f'{BASE}[routing]\nstrategy = "{preset.strategy}"\n{preset.tables}')
    assert loaded.config.routing.strategy == preset.strategy
    assert not any("LOOSENED" in note for note in loaded.notes)
