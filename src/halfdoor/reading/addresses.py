"""Where an IP address is, judged by its class alone; and a model, judged by its name."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from halfdoor.canon.labels import Zone

# RFC 1918 private, RFC 6598 carrier-grade NAT (many VPNs), RFC 3927 and 4291 link-local, RFC 4193
# unique local. 198.18.0.0/15 is left out on purpose: local proxies hand it out for cloud names.
NEARBY: Final = tuple(
    ip_network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fe80::/10",
        "fc00::/7",
    )
)


def zone_of(address: str) -> Zone:
    """The zone that an address proves: loopback is the device, private is the network.

    address: IPv4 or IPv6 in text, with or without brackets or a scope (`fe80::1%eth0`). An
        IPv4-mapped IPv6 address counts as the IPv4 address that the socket really uses.
    The unspecified address is the device: a system that connects to it connects to itself.
    Anything else is the cloud, and so is what cannot be read.
    """
    try:
        ip = unmapped(ip_address(address.strip("[]").partition("%")[0]))
    except ValueError:
        return Zone.CLOUD
    if ip.is_loopback or ip.is_unspecified:
        return Zone.DEVICE
    near = any(ip in block for block in NEARBY)
    return Zone.NETWORK if near else Zone.CLOUD


def sent_on(model_id: str) -> bool:
    """Does an engine on this device send this model's requests to its maker's cloud?

    Ollama does for names that end so, and says it nowhere in an answer (docs.ollama.com/cloud).
    """
    return model_id.strip().lower().endswith(("-cloud", ":cloud"))


def unmapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside `::ffff:a.b.c.d`, else the address itself."""
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
