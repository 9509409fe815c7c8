import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.backends.credentials import Credentials
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError


def target(*, client):
    place = ("sonnet", "vendor", "m", Zone.CLOUD, "anthropic_messages", "v")
    return Target(*place, client_credentials=client)


def credentials(environ=None, key_env="VENDOR_API_KEY"):
    return Credentials(
        "vendor", lambda key: (("x-api-key", key),), key_env, {} if environ is None else environ
    )


def test_a_key_is_read_when_it_is_needed():
    environ: dict[str, str] = {}
    resolver = credentials(environ)
    assert resolver.headers(target(client=False), "") == ()
    environ["VENDOR_API_KEY"] = "later"
    assert resolver.headers(target(client=False), "") == (("x-api-key", "later"),)


def test_a_backend_without_a_key_is_called_without_one():
    assert credentials(key_env="").headers(target(client=False), "callers") == ()


def test_the_callers_key_never_goes_to_a_backend_that_has_its_own():
    shown = credentials({"VENDOR_API_KEY": "ours"}).headers(target(client=False), "theirs")
    assert shown == (("x-api-key", "ours"),)


def test_our_key_never_goes_where_the_callers_is_wanted():
    resolver = credentials({"VENDOR_API_KEY": "ours"})
    assert resolver.headers(target(client=True), "theirs") == (("x-api-key", "theirs"),)
    with pytest.raises(BackendError, match="the caller sent none") as caught:
        resolver.headers(target(client=True), "")
    assert caught.value.kind == "credentials"


@given(st.text(min_size=1).filter(lambda key: not (key.isascii() and key.isprintable())))
def test_a_key_that_could_write_headers_is_refused_and_never_shown(key):
    with pytest.raises(BackendError) as caught:
        credentials({"VENDOR_API_KEY": f"sk-planted{key}"}).headers(target(client=False), "")
    assert caught.value.kind == "credentials"
    assert "planted" not in repr(caught.value) + str(caught.value)


def test_keys_are_not_in_the_resolvers_repr():
    assert "planted" not in repr(credentials({"VENDOR_API_KEY": "planted"}))
