"""Where named files really are decides, not what they are called."""

import json

import pytest

from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Actor
from halfdoor.canon.rules import Rule
from halfdoor.canon.scene import Repository
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from halfdoor.flow.weighing import weigh
from halfdoor.store.checkout import Checkout, PaperFiles
from tests.helpers.house import CLOUD, DEFAULTS, OFFICE, house, request
from tests.helpers.playbook import SCENE
from tests.helpers.sink import MemorySink
from tests.helpers.world import Reel, world

ROOT = "/home/u/shop"
PAPER = PaperFiles(
    [f"{ROOT}/payments/x.py", "/home/u/core/a.py"],
    {f"{ROOT}/docs": "payments", f"{ROOT}/loop": "loop"},
)
WHOLE = json.dumps(
    {
        "id": "m", "type": "message", "role": "assistant", "model": "x", "stop_reason": "end_turn", "stop_sequence": None,
        "content": [{"type": "text", "text": "hi"}], "usage": {"input_tokens": 3, "output_tokens": 1},
    }
).encode()  # fmt: skip


def reads(path, **more):
    call = {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": path}}
    return request(messages=[{"role": "assistant", "content": [call]}], **more)


async def decision(path, *, root=ROOT, rules=DEFAULTS, repositories=()):
    files = Checkout(repositories, looks=PAPER, home="/home/u")
    place = world(files=files, anthropic=Reel(chunks=(WHOLE,)), vllm=Reel(chunks=(WHOLE,)))
    line = exchange(reads(path), Actor(root=root), house((CLOUD, OFFICE), rules))
    await drive(line, place.services, MemorySink())
    return place.log.entries[0]


@pytest.mark.parametrize("path", ["docs/x.py", f"{ROOT}/docs/x.py", "~/shop/docs/x.py", "docs"])
async def test_a_link_into_a_ruled_folder_is_held_as_the_folder_is(path):
    decided = await decision(path)
    assert decided.rule == "no-payments"
    assert decided.labels[0].places == ("paths",)


async def test_without_a_root_only_whole_paths_are_followed():
    assert (await decision("docs/x.py", root="")).rule == ""
    assert (await decision(f"{ROOT}/docs/x.py", root="")).rule == "no-payments"


async def test_a_path_that_cannot_be_followed_stays_on_the_device():
    decided = await decision("loop")
    assert decided.plan == ()
    assert (decided.rule, decided.labels[0].detail) == ("scan-failed", "untraced")


async def test_nothing_is_looked_up_where_no_rule_asks():
    assert (await decision("loop", rules=DEFAULTS[:4])).rule == ""


async def test_the_folders_above_the_root_match_no_rule():
    paper = PaperFiles(["/x/payments/app/src/a.py"], {"/x/payments/app/b": "src"})
    files = Checkout((), looks=paper, home="/home/u")
    placed = files.find("/x/payments/app", ("b/a.py",))
    assert placed.real == ("/x/payments/app/src/a.py",)
    place, asked = house(), reads("b/a.py")
    scene = SCENE.__class__(id="hd_1", now_ms=0, real=placed.real)
    found = place.surveyor.survey(asked)
    assert weigh(asked, Actor(root="/x/payments/app"), found, scene, place).labels == ()


CORE = (Repository("core", "~/core"),)
PINNED = (*DEFAULTS, Rule("stays", "repo:core", Zone.DEVICE))


@pytest.mark.parametrize(
    ("path", "root"),
    [("src/a.py", "/home/u/core"), ("/home/u/core/a.py", ""), ("../core/a.py", ROOT)],
)
async def test_a_request_from_or_about_a_repository_has_its_label(path, root):
    decided = await decision(path, root=root, rules=PINNED, repositories=CORE)
    assert (decided.rule, decided.plan) == ("stays", ())


async def test_a_repository_that_no_rule_speaks_of_gives_no_label():
    decided = await decision("a.py", root="/home/u/core", repositories=CORE)
    assert (decided.rule, decided.labels) == ("", ())


async def test_other_repositories_have_no_label():
    decided = await decision("src/a.py", rules=PINNED, repositories=CORE)
    assert decided.labels == ()
