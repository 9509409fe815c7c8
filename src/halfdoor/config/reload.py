"""What a changed configuration may do to a gateway that runs: tighten and extend, never loosen.

The governed tool often runs as the user who can edit the file. A restart is seen by a person and
leaves an entry; a signal is neither, so whatever would let more text out waits for a restart.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from msgspec.structs import replace

from halfdoor.canon.cards import Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Above, Rule
from halfdoor.config.check import is_loopback
from halfdoor.config.load import Loaded, rules_in_force
from halfdoor.config.tables.backends import Backend
from halfdoor.config.tables.server import Token
from halfdoor.reading.terms import covers


def obstacles(old: Loaded, new: Loaded) -> tuple[str, ...]:
    """Why `new` cannot take over from `old` without a restart, a sentence each; () when it can."""
    changed = tuple(b for b in new.config.backends if not _same(b, old, new))
    return (
        *_offline(old, new),
        *_rules(_written(old), _written(new)),
        *_requirements(_written(old), _written(new)),
        *_zones(old.config.backends, changed),
        *_terms(old.config.backends, changed),
        *_pins(old.config.backends, changed),
        *_keys(old.config.backends, new.config.backends),
        *_repositories(old, new),
        *_places(old, new),
        *_budgets(old, new),
        *_told(old, new),
    )


def _same(backend: Backend, old: Loaded, new: Loaded) -> bool:
    """Is nothing new about it? Then another backend at its address, which claims less, is none.

    A model that moves to it is: at one address it may have been under a wider claim before.
    """
    return backend in old.config.backends and _asked(backend, new) <= _asked(backend, old)


def _asked(backend: Backend, loaded: Loaded) -> set[str]:
    return {model.id for model in loaded.config.models if model.backend == backend.name}


def _written(loaded: Loaded) -> tuple[Rule, ...]:
    """The rules in force but for `offline`, which `_offline` words better."""
    return rules_in_force(replace(loaded, offline=""))


def _offline(old: Loaded, new: Loaded) -> Iterator[str]:
    if old.offline and not new.offline:
        yield f"it is offline ({old.offline})"


def _rules(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[str]:
    for label in dict.fromkeys(rule.label for rule in old):
        before, after = _ceiling(old, label), _ceiling(new, label)
        if after > before:
            yield f"`{label}` might reach {after.name.lower()} instead of {before.name.lower()}"
        elif _refused_beyond(new, label) > _refused_beyond(old, label):
            yield f"`{label}` would no longer refuse the whole request where it does now"


def _ceiling(rules: Iterable[Rule], label: str) -> Zone:
    """A label that no rule speaks of is not looked for any more: that is the widest."""
    return min((rule.ceiling for rule in rules if rule.label == label), default=Zone.CLOUD)


def _refused_beyond(rules: Iterable[Rule], label: str) -> Zone:
    refusing = (r.ceiling for r in rules if r.label == label and r.above is Above.REFUSE)
    return min(refusing, default=Zone.CLOUD)


def _requirements(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> Iterator[str]:
    """Each rule that requires something has one in the new file that holds at least as much.

    Several new rules that only together do so are not believed.
    """
    for rule in (rule for rule in old if rule.require):
        if not any(covers(other, rule) for other in new if other.label == rule.label):
            yield f"rule `{rule.name}` would no longer require what it does now"


def _terms(old: tuple[Backend, ...], new: tuple[Backend, ...]) -> Iterator[str]:
    """A better promise lets more text go there; of a place that is new nothing was promised."""
    for backend in new:
        known = [b for b in old if _host(backend.url) == _host(b.url) or backend.name == b.name]
        before = [_stated(b) for b in known] or [Terms()]
        if any(_better(_stated(backend), terms) for terms in before):
            yield f"backend `{backend.name}` would promise more about the text that it gets"


def _stated(backend: Backend) -> Terms:
    return Terms(backend.region, backend.training, backend.retention_days)


def _better(new: Terms, old: Terms) -> bool:
    """Might a requirement be met by `new` that `old` does not meet?"""
    kept = new.retention_days is not None and (
        old.retention_days is None or new.retention_days < old.retention_days
    )
    trained = new.training == "never" and old.training != "never"
    return kept or trained or (new.region not in {"", old.region})


def _repositories(old: Loaded, new: Loaded) -> Iterator[str]:
    """One that is gone, moved or narrowed to a branch gives its label to less."""
    kept = {(r.name, r.root, r.branch) for r in new.config.repositories}
    ruled = {rule.label for rule in rules_in_force(old)}
    for each in old.config.repositories:
        same = {(each.name, each.root, each.branch), (each.name, each.root, "")}
        if f"repo:{each.name}" in ruled and not same & kept:
            yield f"repository `{each.name}` would cover less, or another folder"


def _zones(old: tuple[Backend, ...], new: tuple[Backend, ...]) -> Iterator[str]:
    """A narrower claim about the same place lets more text go there."""
    for backend in new:
        known = [b for b in old if _host(backend.url) == _host(b.url) or backend.name == b.name]
        if any(Zone[backend.zone.upper()] < Zone[b.zone.upper()] for b in known):
            yield f"backend `{backend.name}` would claim the narrower zone {backend.zone}"


def _pins(old: tuple[Backend, ...], new: tuple[Backend, ...]) -> Iterator[str]:
    """A place that was pinned is pinned to the same file, under whatever name."""
    for backend in new:
        known = [b for b in old if _host(backend.url) == _host(b.url) or backend.name == b.name]
        if any(b.ca_file and b.ca_file != backend.ca_file for b in known):
            yield f"backend `{backend.name}` would believe other certificate authorities"


def _keys(old: tuple[Backend, ...], new: tuple[Backend, ...]) -> Iterator[str]:
    """A key shown to a host that has not seen it could be any variable, sent to anybody."""
    shown = {(b.key or b.credentials, _host(b.url)) for b in old}
    for backend in new:
        key = backend.key or backend.credentials
        if key and (key, _host(backend.url)) not in shown:
            yield f"backend `{backend.name}` would show a key to a host that has not seen it"


def _host(url: str) -> str:
    """`host:port` of a place, however it is spelled: this device has many names."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or url, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return url
    return f"{'localhost' if is_loopback(host) else host.removesuffix('.')}:{port}"


def _places(old: Loaded, new: Loaded) -> Iterator[str]:
    open_now = old.config.tokens and not new.config.tokens
    if open_now or (_tools(old) and not _tools(new)):
        yield "no token would be needed any more"
    if more := set(new.config.server.allowed_hosts) - set(old.config.server.allowed_hosts):
        yield f"it would answer to {len(more)} more in `allowed_hosts`"
    more_tokens = set(new.config.tokens) - set(old.config.tokens)
    if any(token.role != "tool" or _tools(old) for token in more_tokens):
        # Any variable can be named as a token's, also one whose value a tool knows.
        yield "a token that is new would be taken"
    if old.config.server.listen != new.config.server.listen:
        yield f"it listens on {old.config.server.listen}, not on {new.config.server.listen}"
    if old.config.server.admin_listen != new.config.server.admin_listen:
        yield "admins and metrics would be asked at another address"
    if old.state_dir != new.state_dir:
        yield f"its log is in {old.state_dir}, not in {new.state_dir}"


def _budgets(old: Loaded, new: Loaded) -> Iterator[str]:
    """What has been taken is counted by the budgets of the start; so is whose a token is."""
    if old.config.budgets != new.config.budgets:
        yield "its budgets are others"
    if old.config.plans != new.config.plans:
        yield "its plans are others"
    if old.config.budgets and old.config.server.time_zone != new.config.server.time_zone:
        yield "its budgets would begin at another time"
    owners = {token.name: (token.person, token.team) for token in old.config.tokens}
    moved = (
        t for t in new.config.tokens if owners.get(t.name, (t.person, t.team)) != (t.person, t.team)
    )
    for token in moved:
        yield f"token `{token.name}` would be somebody else's"


def _told(old: Loaded, new: Loaded) -> Iterator[str]:
    """A route chooses among whom the rules permit; what it says to models is somebody's words."""
    known = {route.parameters.system for route in old.config.routes}
    for route in new.config.routes:
        if route.parameters.system and route.parameters.system not in known:
            yield f"route `{route.name}` would tell models something new"


def _tools(loaded: Loaded) -> tuple[Token, ...]:
    return tuple(token for token in loaded.config.tokens if token.role == "tool")
