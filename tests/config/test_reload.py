import pytest

from halfdoor.config.load import load
from halfdoor.config.offline import flag
from halfdoor.config.reload import obstacles
from tests.helpers.authority import Authority

BASE = """
[[backends]]
name = "cloud"
dialect = "openai_chat"
url = "https://models.example/v1"
zone = "cloud"
[[models]]
name = "m"
backend = "cloud"
id = "m"
"""
PAY = '[[rules]]\nlabel = "path:payments/**"\nceiling = "network"\n'


def read(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_text(text)
    return load(file, None, {"HOME": str(tmp_path)})


def between(tmp_path, old, new):
    return obstacles(read(tmp_path, old), read(tmp_path, new))


def test_the_same_or_a_stricter_file_may_take_over(tmp_path):
    stricter = PAY.replace("network", "device")
    assert between(tmp_path, BASE, BASE) == ()
    assert between(tmp_path, BASE, BASE + PAY) == ()
    assert between(tmp_path, BASE + PAY, BASE + stricter) == ()
    assert between(tmp_path, BASE + PAY, BASE + PAY + 'above = "refuse"\n') == ()


def test_a_rule_that_is_gone_or_wider_waits_for_a_restart(tmp_path):
    gone = between(tmp_path, BASE + PAY, BASE)
    assert gone == ("`path:payments/**` might reach cloud instead of network",)
    assert between(tmp_path, BASE + PAY, BASE + PAY.replace("network", "cloud")) == gone


def test_a_default_that_is_loosened_waits_for_a_restart(tmp_path):
    looser = BASE + '[[rules]]\nlabel = "secret"\nceiling = "cloud"\n'
    assert "`secret` might reach cloud" in between(tmp_path, BASE, looser)[0]


def test_a_refusal_that_becomes_an_exclusion_waits_for_a_restart(tmp_path):
    refusing = BASE + PAY + 'above = "refuse"\n'
    assert "no longer refuse" in between(tmp_path, refusing, BASE + PAY)[0]


def test_a_narrower_claim_about_a_backend_waits_for_a_restart(tmp_path):
    narrower = BASE.replace('zone = "cloud"', 'zone = "device"')
    renamed = narrower.replace('"cloud"\ndialect', '"other"\ndialect').replace(
        'backend = "cloud"', 'backend = "other"'
    )
    assert "narrower zone device" in between(tmp_path, BASE, narrower)[0]
    assert "narrower zone device" in between(tmp_path, BASE, renamed)[0]
    assert between(tmp_path, narrower, BASE) == ()


def test_tokens_that_vanish_and_other_places_wait_for_a_restart(tmp_path):
    tokens = '[[tokens]]\nname = "ci"\nenv = "TOKEN_CI"\n'
    assert between(tmp_path, BASE + tokens, BASE) == ("no token would be needed any more",)
    assert (
        "it listens on" in between(tmp_path, BASE, '[server]\nlisten = "127.0.0.1:9"\n' + BASE)[0]
    )
    assert (
        "its log is in" in between(tmp_path, BASE, '[server]\nstate_dir = "/elsewhere"\n' + BASE)[0]
    )


def test_a_place_under_another_spelling_is_the_same_place(tmp_path):
    forwarded = BASE.replace("https://models.example/v1", "http://127.0.0.1:8000/v1")
    again = '[[backends]]\nname = "x"\ndialect = "openai_chat"\nzone = "device"\nurl = '
    for url in ("http://localhost:8000/v2", "http://[::1]:8000", "http://127.0.0.2:8000/v1/"):
        assert (
            "narrower zone device"
            in between(tmp_path, forwarded, forwarded + f'{again}"{url}"\n')[0]
        )
    assert between(tmp_path, forwarded, forwarded + f'{again}"http://localhost:8001/v1"\n') == ()


def test_a_key_for_a_host_that_has_not_seen_it_waits_for_a_restart(tmp_path):
    keyed = BASE.replace('zone = "cloud"', 'zone = "cloud"\nkey = "${VENDOR_KEY}"')
    moved = keyed.replace("models.example", "evil.example")
    clients = moved.replace('key = "${VENDOR_KEY}"', 'credentials = "client"')
    assert between(tmp_path, keyed, keyed.replace("/v1", "/v2")) == ()
    for new in (moved, clients, keyed.replace("VENDOR_KEY", "HOME")):
        assert "show a key to a host" in between(tmp_path, keyed, new)[0]


def test_another_name_or_token_to_be_reached_by_waits_for_a_restart(tmp_path):
    hosts = '[server]\nallowed_hosts = ["evil.example"]\n' + BASE
    token = '[[tokens]]\nname = "ci"\nenv = "TOKEN_CI"\n'
    known = token.replace("TOKEN_CI", "HOME").replace("ci", "more")
    assert "allowed_hosts" in between(tmp_path, BASE, hosts)[0]
    assert between(tmp_path, hosts, BASE) == ()
    assert between(tmp_path, BASE, BASE + token) == ()
    assert "token that is new" in between(tmp_path, BASE + token, BASE + token + known)[0]


def test_a_token_that_reads_metrics_is_neither_added_nor_the_last_one_taken_out(tmp_path):
    metrics = '[[tokens]]\nname = "prom"\nenv = "HOME"\nrole = "metrics"\n'
    assert "token that is new" in between(tmp_path, BASE, BASE + metrics)[0]
    assert between(tmp_path, BASE + metrics, BASE) == ("no token would be needed any more",)
    assert between(tmp_path, BASE + metrics, BASE + metrics) == ()


TERMS = 'region = "us"\ntraining = "allowed"\nretention_days = 30\n'
EU = """
[[rules]]
name = "eu"
label = "*"
require = { region = ["eu", "de"], training = "never", retention_days = 7 }
"""


def stated(terms):
    return BASE.replace("[[models]]", terms + "[[models]]")


@pytest.mark.parametrize(
    ("old", "new", "looser"),
    [
        (TERMS, TERMS, False),
        (TERMS, "", False),
        (TERMS, TERMS.replace("30", "60"), False),
        (TERMS, TERMS.replace("us", "eu"), True),
        (TERMS, TERMS.replace("allowed", "never"), True),
        (TERMS, TERMS.replace("30", "29"), True),
        ("", 'region = "us"\n', True),
        ("", "retention_days = 30\n", True),
        ("", 'training = "allowed"\n', False),
        ('training = "never"\n', 'training = "never"\n', False),
    ],
)
def test_a_better_promise_of_a_backend_waits_for_a_restart(tmp_path, old, new, looser):
    found = between(tmp_path, stated(old), stated(new))
    assert bool(found) == looser
    assert not looser or "would promise more" in found[0]


def test_a_new_place_that_promises_something_waits_for_a_restart(tmp_path):
    new = BASE + '[[backends]]\nname = "x"\ndialect = "openai_chat"\nurl = "https://x.example"\n'
    new += 'zone = "cloud"\n'
    assert between(tmp_path, BASE, new) == ()
    assert "promise more" in between(tmp_path, BASE, new + 'region = "eu"\n')[0]


@pytest.mark.parametrize(
    ("now", "then", "looser"),
    [
        ("", "", False),
        ('"eu", "de"', '"eu"', False),
        ('"eu", "de"', '"eu", "de", "us"', True),
        ('region = ["eu", "de"], ', "", True),
        ('training = "never", ', "", True),
        (", retention_days = 7", "", True),
        ("= 7", "= 6", False),
        ("= 7", "= 8", True),
        ('"*"\n', '"*"\nceiling = "network"\n', False),
        ('"*"\n', '"*"\nabove = "refuse"\n', False),
        ("require = ", 'ceiling = "device"\n#', False),
        ("require = ", 'ceiling = "network"\n#', True),
        ('"*"', '"secret"', True),
    ],
)
def test_a_requirement_may_grow_and_not_shrink(tmp_path, now, then, looser):
    found = between(tmp_path, BASE + EU, BASE + EU.replace(now, then))
    assert bool(found) == looser
    assert between(tmp_path, BASE, BASE + EU) == ()


def test_going_offline_needs_no_restart_and_going_online_does(tmp_path):
    offline = "[server]\noffline = true\n" + BASE
    assert between(tmp_path, BASE, offline) == ()
    assert between(tmp_path, offline, BASE) == ("it is offline (config.toml:2)",)
    assert between(tmp_path, offline, offline) == ()


def test_a_flag_that_was_removed_waits_for_a_restart(tmp_path):
    place = flag(tmp_path / ".local/state/halfdoor")
    place.parent.mkdir(parents=True)
    place.touch()
    old = read(tmp_path, BASE)
    place.unlink()
    assert obstacles(old, read(tmp_path, BASE)) == ("it is offline (halfdoor offline on)",)


def test_a_pin_may_be_added_and_neither_changed_nor_taken_out(tmp_path):
    for name in ("one", "two"):
        Authority(tmp_path, name)
    one, two = (
        BASE.replace("[[models]]", f'ca_file = "{tmp_path}/{name}/ca.pem"\n[[models]]')
        for name in ("one", "two")
    )
    assert between(tmp_path, BASE, one) == ()
    said = ("backend `cloud` would believe other certificate authorities",)
    assert between(tmp_path, one, BASE) == between(tmp_path, one, two) == said


CORE = '[[repositories]]\nname = "core"\nroot = "~/core"\nbranch = "draft/*"\n'
HELD = '[[rules]]\nlabel = "repo:core"\nceiling = "device"\n'


def test_a_repository_that_covers_less_waits_for_a_restart(tmp_path):
    old = BASE + CORE + HELD
    assert between(tmp_path, BASE, old) == ()
    assert between(tmp_path, old, old.replace("draft/*", "")) == ()
    for less in (old.replace("draft/*", "draft/x"), old.replace("~/core", "~/other")):
        assert "`core` would cover less" in between(tmp_path, old, less)[0]
    assert between(tmp_path, BASE + CORE, BASE) == ()


SHARED = BASE + BASE.replace('zone = "cloud"', 'zone = "device"').replace('"cloud"', '"near"').replace(
    '"m"', '"n"'
)  # fmt: skip


def test_two_backends_at_one_address_do_not_bar_every_reload(tmp_path):
    two_fakes = SHARED.replace("https://models.example/v1", "scripted:")
    assert between(tmp_path, two_fakes, two_fakes + PAY) == ()
    promising = SHARED.replace('zone = "device"', 'zone = "cloud"\nretention_days = 0')
    assert between(tmp_path, promising, promising + PAY) == ()


def test_a_model_that_moves_to_a_narrower_claim_at_its_address_waits_for_a_restart(tmp_path):
    moved = SHARED.replace('name = "m"\nbackend = "cloud"', 'name = "m"\nbackend = "near"')
    assert "narrower zone device" in between(tmp_path, SHARED, moved)[0]
