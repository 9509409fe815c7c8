import json

import pytest

from halfdoor.canon.commands import Floor
from halfdoor.canon.record import Noted
from halfdoor.errors import ClientError
from halfdoor.server.access import Access
from halfdoor.server.admin import Admin
from halfdoor.server.sessions import PREFIX
from halfdoor.store.floors import Floors
from halfdoor.store.log import MemoryLog
from tests.helpers.world import StillClock

ADMIN = (("boss", "s3cret-admin"),)
HOST = (b"host", b"127.0.0.1:4114")


def headers(secret=""):
    shown = [(b"authorization", b"Bearer " + secret.encode())] if secret else []
    return [HOST, *shown]


def test_an_admin_token_opens_the_admins_door_and_no_other():
    access = Access(admins=ADMIN)
    assert access.administer(headers("s3cret-admin")) == "boss"
    with pytest.raises(ClientError, match="asks no model") as caught:
        access.admit(headers("s3cret-admin"))
    assert caught.value.status == 403
    with pytest.raises(ClientError, match="asks no model"):
        access.admit([*headers("sk-mine"), (b"x-api-key", b"s3cret-admin")])
    assert access.admit(headers("sk-mine"))[1] == "sk-mine"


@pytest.mark.parametrize("secret", ["", "other", "tool-secret", f"{PREFIX}a.b"])
def test_nobody_else_is_an_admin(secret):
    access = Access(admins=ADMIN, tokens=(("ci", "tool-secret"),))
    with pytest.raises(ClientError) as caught:
        access.administer(headers(secret))
    assert (caught.value.status, caught.value.code) == (403, "not_admin")


def test_without_an_admin_it_is_said_how_to_have_one():
    with pytest.raises(ClientError, match="nobody is an admin") as caught:
        Access(tokens=(("ci", "tool-secret"),)).administer(headers("tool-secret"))
    assert 'role = "admin"' in caught.value.hint


def test_an_admins_door_is_shut_to_web_pages():
    with pytest.raises(ClientError, match="web page"):
        Access(admins=ADMIN).administer(
            [*headers("s3cret-admin"), (b"origin", b"http://evil.example")]
        )


async def desk(room=None):
    floors, log = Floors(lambda: 0), MemoryLog(b"s" * 32, room=room)
    await floors.hold(Floor((b"a" * 16, b"b" * 16), ("derived:secret",)))
    await floors.hold(Floor((b"ac" * 8,), ("derived:secret",)))
    return Admin(floors, log, StillClock()), floors, log


def asked(session, reason="a test key"):
    return json.dumps({"session": session, "reason": reason}).encode()


async def test_a_lift_is_recorded_with_who_what_and_why():
    admin, floors, log = await desk()
    told = json.loads(await admin.lift("boss", asked("61616161")))
    assert told == {"session": "616161616161", "labels": ["derived:secret"]}
    (entry,) = log.entries
    assert isinstance(entry, Noted)
    assert (entry.event, entry.facts) == (
        "lifted",
        {
            "token": "boss",
            "session": "616161616161",
            "labels": "derived:secret",
            "reason": "a test key",
        },
    )
    assert [floor.session for floor in await floors.standing()] == ["616361636163"]


async def test_nothing_is_lifted_that_could_not_be_recorded():
    admin, floors, _ = await desk(room=0)
    with pytest.raises(ClientError, match="nothing was lifted") as caught:
        await admin.lift("boss", asked("616161616161"))
    assert caught.value.status == 503
    assert len(await floors.standing()) == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (asked("0000"), 404, "no_such_session"),
        (asked("6161", "x"), 400, "invalid_request"),
        (asked("6161", "x" * 201), 400, "invalid_request"),
        (asked("6161", "a\nb c"), 400, "invalid_request"),
        (asked("6161", "   "), 400, "invalid_request"),
        (asked("6"), 400, "invalid_request"),
        (b'{"session": "6161"}', 400, "invalid_request"),
        (b"\xff", 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_lifted_changes_nothing(body, status, code):
    admin, floors, log = await desk()
    with pytest.raises(ClientError) as caught:
        await admin.lift("boss", body)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert (len(await floors.standing()), log.entries) == (3, [])


async def test_a_beginning_that_fits_several_is_not_enough():
    floors = Floors(lambda: 0)
    for mark in (b"a" * 16, b"aaaab" + b"c" * 11):
        await floors.hold(Floor((mark,), ("derived:secret",)))
    with pytest.raises(ClientError, match="2 sessions begin"):
        await Admin(floors, MemoryLog(b"s" * 32), StillClock()).lift("boss", asked("6161"))
