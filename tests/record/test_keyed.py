import hmac

from hypothesis import given
from hypothesis import strategies as st

from halfdoor.record.keyed import keyed


@given(st.binary(max_size=100), st.binary(max_size=5000))
def test_it_is_hmac_sha256(key, data):
    assert keyed(key, data) == hmac.digest(key, data, "sha256")
