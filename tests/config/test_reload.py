from halfdoor.config.load import load
from halfdoor.config.reload import obstacles

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
