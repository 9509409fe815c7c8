"""Every way to write the file wrongly: its line, what was found, and what would do."""

import re

import pytest

from halfdoor.config.load import load, load_user
from halfdoor.errors import SetupError

BACKEND = (
    '[[backends]]\nname = "b"\ndialect = "openai_chat"\nurl = "http://h/v1"\nzone = "device"\n'
)
MODEL = BACKEND + '[[models]]\nname = "m"\nbackend = "b"\nid = "x"\n'
PRICE = "usd_per_million_tokens = "
RULE = '[[rules]]\nlabel = "secret"\n'


def backend(**changed):
    keys = {"name": "b", "dialect": "openai_chat", "url": "http://h/v1", "zone": "device"}
    lines = [f'{k} = "{v}"' for k, v in (keys | changed).items() if v is not None]
    return "\n".join(["[[backends]]", *lines, ""])


def path_rule(glob):
    return f"[[rules]]\nceiling = 'device'\nlabel = 'path:{glob}'\n"


WRONG = {
    "text without quotes": ("[server]\nlisten = here\n", "config.toml:2: not TOML", "quotes"),
    "an unfinished header": ("\n[server\n", "config.toml:2: not TOML", ""),
    "a time zone that is none": (
        "[server]\ntime_zone = 'Europe/Vena'\n",
        "config.toml:2: there is no time zone `Europe/Vena` on this machine",
        "`Europe/Berlin`",
    ),
    "a time zone that is a path": (
        "[server]\ntime_zone = '../etc/passwd'\n",
        "config.toml:2: there is no time zone",
        "",
    ),
    "a key twice": ("[server]\n\nlisten = 'a'\nlisten = 'b'\n", "config.toml:", "stands twice"),
    "nesting without end": ("a = " + "[" * 5000, "config.toml: not TOML: nested", ""),
    "a table nobody knows": ("\n[servr]\n", "config.toml:2: unknown key `servr`", "`server`"),
    "a key nobody knows": (
        BACKEND + "zoon = 'x'\n",
        "config.toml:6: unknown key `zoon` in `[[backends]]`",
        "did you mean `zone`?",
    ),
    "a key nobody knows, deep": (
        BACKEND + "timeouts = { conect_s = 1 }\n",
        "config.toml:6: unknown key `conect_s` in `[backends.timeouts]`",
        "did you mean `connect_s`?",
    ),
    "a key far from any": ("[routing]\nxyzzy = 1\n", "config.toml:2: unknown", "one of `strategy`"),
    "a missing key": (backend(url=None), "config.toml:1: `[[backends]]` lacks `url`", "Base URL"),
    "a missing zone": (backend(zone=None), "lacks `zone`", "one of `cloud`, `device`, `network`"),
    "one bracket too few": ("[rules]\nx = 1\n", "config.toml:1: `[rules]` is a list", "[[rules]]"),
    "a number for a text": ("[server]\nlisten = 1\n", "config.toml:2: `listen` must be text", ""),
    "a text for a number": (
        "[server]\nbody_limit_bytes = '64M'\n",
        "`body_limit_bytes` must be a whole number, but is text",
        "write it without quotes",
    ),
    "a list without brackets": (
        "[server]\nallowed_hosts = 'box'\n",
        "`allowed_hosts` must be a list, but is text",
        "write it in brackets",
    ),
    "a text without quotes": (
        "[server]\nlisten = 127.0.0.1\n",
        ":2: not TOML",
        "texts need quotes",
    ),
    "a header that is not closed": ("[server\n", ":1: not TOML", "`[server]`"),
    "quotes that are not closed": ('[server]\nlisten = "x\n', ":2: not TOML", "close the quotes"),
    "a number out of range": ("[server]\nbody_limit_bytes = 1\n", "must be >= 1024", ""),
    "a negative price": (
        MODEL + PRICE + "{ input = -1, output = 1 }\n",
        ":10: `input` must be >= 0",
        "USD for a million prompt tokens",
    ),
    "a price in quotes": (
        MODEL + PRICE + "{ input = '3', output = 15 }\n",
        "`input` must be a number, but is text",
        "write it without quotes, as 0.5: USD for a million prompt tokens",
    ),
    "a price of one kind only": (
        MODEL + PRICE + "{ input = 3 }\n",
        ":10: `[models.usd_per_million_tokens]` lacks `output`",
        "USD for a million answer tokens",
    ),
    "a price without a rate": (MODEL + PRICE + "{}\n", "lacks `input`", "USD for a million"),
    "a fraction for a whole number": (
        "[server]\nbody_limit_bytes = 0.5\n",
        "must be a whole number, but is a number",
        "write it without a decimal point, as 300: Largest request body in bytes",
    ),
    "an overflow that never comes": (
        BACKEND + "slots = 1\nqueue = 2\noverflow_at = 9\n",
        "config.toml:8: `overflow_at` of backend `b` is 9, and no more than 2 may wait (`queue`)",
        "lower it, or raise `queue`",
    ),
    "an endless time": (BACKEND + "timeouts.idle_s = inf\n", ":6: `idle_s` must be <=", ""),
    "an unknown ceiling": (
        RULE + "ceiling = 'clud'\n",
        "config.toml:3: `ceiling` is `clud`",
        "did you mean `cloud`?",
    ),
    "an unknown zone": (backend(zone="local"), ":5: `zone` is `local`", "one of `cloud`"),
    "an unknown dialect": (backend(dialect="openai"), ":3: `dialect` is `openai`", "`openai_chat`"),
    "a way to fill in for another protocol": (
        backend(dialect="ollama", fim="infill"),
        ":6: `fim` is for backends of dialect `openai_chat`, and this is `ollama`",
        "leave it out",
    ),
    "an unknown way to fill in": (backend(fim="inflil"), "`fim` is `inflil`", "`infill`"),
    "a dialect of later": (backend(dialect="embeddings"), "which nothing does yet", "one of"),
    "an unknown strategy": ("[routing]\nstrategy = 'locl_first'\n", ":2:", "`local_first`"),
    "a review": (
        RULE + "ceiling = 'device'\nabove = 'review'\n",
        "config.toml:4: `above` is `review`, which nothing does yet",
        "`exclude`",
    ),
    "a redaction": (RULE + "ceiling = 'device'\nabove = 'redact'\n", "`redact`, which", "`refuse`"),
    "a label of later": (
        "[[rules]]\nceiling = 'device'\nlabel = 'personal'\n",
        "config.toml:3: nothing produces the label `personal` yet",
        "`path:<glob>`",
    ),
    "a misspelt label": ("[[rules]]\nlabel='secrets'\nceiling='device'\n", ":2:", "`secret`"),
    "a rule that asks for nothing": (RULE, ":1: `[[rules]]` lacks `ceiling`", "`require`"),
    "a requirement of nothing": (RULE + "require = {}\n", ":3: `require` requires nothing", ""),
    "no region": (RULE + "require = { region = [] }\n", ":3: `region` lists no region", '["eu"]'),
    "a region in capitals": (RULE + "require = { region = ['EU'] }\n", ":3: `region` is not", ""),
    "training that is allowed": (
        RULE + "require = { training = 'allowed' }\n",
        ":3: `training` is `allowed`",
        "one of `never`",
    ),
    "a negative retention": (RULE + "require = { retention_days = -1 }\n", "must be >= 0", ""),
    "an unknown requirement": (
        RULE + "require = { regoin = ['eu'] }\n",
        "unknown key `regoin` in `[rules.require]`",
        "did you mean `region`?",
    ),
    "a backend's misspelt training": (
        BACKEND + "training = 'nevr'\n",
        ":6: `training` is `nevr`",
        "did you mean `never`?",
    ),
    "an undeclared repository": (
        "[[rules]]\nlabel='repo:x'\nceiling='device'\n",
        ":2: `repo:x` is none",
        "policy pin",
    ),
    "a misspelt repository": (
        "[[repositories]]\nname='core'\nroot='/c'\n[[rules]]\nlabel='repo:cor'\nceiling='device'\n",
        ":5: `repo:cor` is none",
        "`core`",
    ),
    "a repository without a whole path": (
        "[[repositories]]\nname='core'\nroot='core'\n",
        ":3: the root of repository `core`",
        "`~/`",
    ),
    "two repositories of one name": (
        "[[repositories]]\nname='a'\nroot='/a'\n[[repositories]]\nname='a'\nroot='/b'\n",
        "are called `a`",
        "",
    ),
    "a derived label": ("[[rules]]\nlabel='derived:x'\nceiling='device'\n", "`derived:x` yet", ""),
    "no glob": (path_rule(""), ":3: `path:` has no glob", "path:payments/**"),
    "an absolute glob": (path_rule("//etc/**"), "`path:` is absolute", ""),
    "a glob in home": (path_rule("~/x"), "`path:` is absolute", ""),
    "a glob on a drive": (path_rule("C:/x"), "`path:` is absolute", ""),
    "a glob with backslashes": (path_rule("a\\b"), "`path:` has a backslash", ""),
    "a glob that climbs": (path_rule("a/../b"), "`path:` has an empty, `.` or `..`", ""),
    "a name for a header": (path_rule("prüfung/**"), "this rule needs a name", "ASCII"),
    "a name with a line": (RULE + 'ceiling="device"\nname="a\\nb"\n', ":4: `name` is not", ""),
    "two backends of one name": (
        BACKEND + BACKEND,
        "config.toml:7: two `[[backends]]` are called `b`",
        "config.toml:1",
    ),
    "two rules of one name": (2 * (RULE + "ceiling='device'\n"), "two `[[rules]]`", "`name`"),
    "a model on no backend": (
        MODEL.replace('backend = "b"', 'backend = "bb"'),
        "config.toml:8: model `m` names the backend `bb`, which does not exist",
        "did you mean `b`?",
    ),
    "a model without any backend": ("[[models]]\nname='m'\nbackend='b'\nid='x'\n", ":3:", "[[back"),
    "a model called auto": (MODEL.replace('"m"', '"auto"'), "`auto` always means", ""),
    "a match of auto": (
        MODEL + "[[names]]\nmatch = 'auto'\nchoose = ['m']\n",
        ":11: `auto` always means all models",
        "another name",
    ),
    "an empty id": (MODEL.replace('"x"', '""'), ":9: `id` is not written", ""),
    "a name that chooses nothing": (
        MODEL + "[[names]]\nmatch = 'a'\nchoose = []\n",
        "config.toml:12: `a` chooses no model",
        "",
    ),
    "a name that chooses a stranger": (
        MODEL + "[[names]]\nmatch = 'a'\nchoose = ['mm']\n",
        "config.toml:12: `a` chooses `mm`, which is no model",
        "did you mean `m`?",
    ),
    "a match twice": (
        MODEL + 2 * "[[names]]\nmatch = 'a'\nchoose = ['m']\n",
        "config.toml:14: `a` is matched twice",
        "",
    ),
    "a listener without a port": ("[server]\nlisten = 'localhost'\n", ":2: `listen` is", "4114"),
    "a port that is none": ("[server]\nlisten = '127.0.0.1:99999'\n", ":2: `listen` is", ""),
    "admins without a port": (
        "[server]\nadmin_listen = '127.0.0.1:0'\n",
        ":2: `admin_listen`",
        "4115",
    ),
    "admins where tools ask": (
        "[server]\nadmin_listen = '[::1]:4114'\n",
        "has the port of `listen`",
        "another port",
    ),
    "admins for all to see": (
        "[server]\nadmin_listen = '0.0.0.0:9'\n",
        ":2:",
        'role = "metrics"',
    ),
    "an open listener": ("[server]\nlisten = '0.0.0.0:4114'\n", ":2:", "[[tokens]]"),
    "an open IPv6 listener": ("[server]\nlisten = '[::]:4114'\n", "other machines", "[[tokens]]"),
    "a relative state folder": ("[server]\nstate_dir = 'x'\n", "config.toml:2: `x` is rel", "`/`"),
    "an address without scheme": (
        backend(url="localhost:1"),
        ":4: `url` is not an http",
        "http://",
    ),
    "a port in words": (backend(url="http://h:x/"), ":4: `url` is not an http", ""),
    "both kinds of credential": (
        backend(key="${K}", credentials="client"),
        ":7: backend `b` has both",
        "keep one",
    ),
    "the environment elsewhere": (backend(url="http://${H}"), ":4: `url` cannot take", "`key`"),
    "the environment in a part": (backend(key="x${K}"), ":6: a key must not stand", "environment"),
    "a token's own text": ("[[tokens]]\nname='a'\nenv='a b'\n", ":3: `env` is not", "environment"),
}


@pytest.mark.parametrize(("text", "said", "hint"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_explained(tmp_path, text, said, hint):
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SetupError) as caught:
        load_user(path)
    assert said in str(caught.value)
    assert hint in caught.value.hint
    assert re.match(r"config\.toml(:\d+)?: ", str(caught.value))


SECRET = "sk-ant-api03-abcdefghijklmnop"  # made up


@pytest.mark.parametrize(
    "text",
    [
        backend(key=SECRET),
        backend(url=f"https://user:{SECRET}@h/"),
        backend(url=f"https://h/?key={SECRET}"),
        backend(credentials=SECRET),
        f"[[tokens]]\nname = 'ci'\nenv = '{SECRET}'\n",
        f"[routing]\nstrategy = '{SECRET}'\n",
    ],
)
def test_a_key_in_the_file_is_refused_and_never_repeated(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SetupError) as caught:
        load_user(path)
    assert SECRET not in str(caught.value)
    assert caught.value.where


def test_a_file_that_is_not_there_is_an_error_only_when_asked_for(tmp_path):
    with pytest.raises(SetupError, match=r"there is no such file; hint: .*halfdoor init"):
        load(tmp_path / "absent.toml", None, {"HOME": str(tmp_path)})


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(SetupError, match="cannot be read"):
        load(tmp_path, None, {})


def test_a_users_file_that_points_nowhere_is_an_error(tmp_path):
    link = tmp_path / ".config/halfdoor/config.toml"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "gone.toml")
    with pytest.raises(SetupError, match="no such file"):
        load(None, None, {"HOME": str(tmp_path)})


def test_bytes_that_are_not_utf_8_have_a_line(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"# fine\n# \xff\n")
    with pytest.raises(SetupError, match=r"config\.toml:2: is not UTF-8"):
        load_user(path)


def test_a_file_beyond_reason_is_refused(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(SetupError, match="larger than 1 MiB"):
        load_user(path)


PINNED = """
[[backends]]
name = "b"
dialect = "openai_chat"
url = "https://127.0.0.1:8443/v1"
zone = "device"
ca_file = "{file}"
"""


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("ca.pem", None, "is relative"),
        ("{folder}/none.pem", None, "cannot be read: No such file"),
        ("{folder}", None, "cannot be read"),
        ("{folder}/ca.pem", b"not a certificate", "holds no certificate"),
        ("{folder}/ca.pem", b"", "holds no certificate"),
    ],
)
def test_a_pinned_authority_that_is_not_there_stops_the_start_with_its_line(
    tmp_path, file, content, said
):
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    config = tmp_path / "c.toml"
    config.write_text(PINNED.format(file=file.format(folder=tmp_path)))
    with pytest.raises(SetupError) as caught:
        load_user(config)
    assert caught.value.where == "c.toml:7"
    assert said in caught.value.message


def test_a_pin_on_a_plain_address_would_pin_nothing(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(PINNED.format(file="/ca.pem").replace("https", "http"))
    with pytest.raises(SetupError, match="not https"):
        load_user(config)


def test_a_folder_in_a_files_place_is_not_blamed_on_permissions(tmp_path):
    with pytest.raises(SetupError, match="give a file in it"):
        load_user(tmp_path)
