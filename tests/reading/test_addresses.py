from ipaddress import ip_address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from halfdoor.canon.labels import Zone
from halfdoor.reading.addresses import zone_of


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "::"],
)
def test_loopback_and_unspecified_are_the_device(address):
    assert zone_of(address) is Zone.DEVICE


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.20",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "::ffff:192.168.0.7",
    ],
)
def test_private_addresses_are_the_network(address):
    assert zone_of(address) is Zone.NETWORK


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "198.18.0.1",
        "192.169.0.1",
        "2001:4860:4860::8888",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "255.255.255.255",
        "224.0.0.1",
    ],
)
def test_everything_else_is_the_cloud(address):
    assert zone_of(address) is Zone.CLOUD


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f.0.0.1", "127.0.0.1:80"])
def test_what_cannot_be_read_is_the_cloud(address):
    assert zone_of(address) is Zone.CLOUD


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_where_its_ipv4_is(ip):
    assert zone_of(f"::ffff:{ip}") is zone_of(str(ip))


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses())
@example(ip_address("::ffff:100.64.0.0"))  # of shared space, though the library calls it global
def test_a_global_address_is_never_near(ip):
    real = getattr(ip, "ipv4_mapped", None) or ip
    assert zone_of(str(ip)) is Zone.CLOUD or not real.is_global
