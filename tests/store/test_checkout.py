"""Real folders, real links: where a name leads, whatever it looks like."""

import asyncio
import os
import threading

import pytest

from halfdoor.canon.scene import Placed
from halfdoor.store.checkout import Checkout, PaperFiles
from halfdoor.store.following import Disk, Looks, Walk


@pytest.fixture
def shop(tmp_path):
    """A project beside another, and links of all sorts."""
    home = tmp_path.resolve()
    for file in ("shop/payments/x.py", "shop/docs/a.md", "other/payments/y.py", "shop/sub/deep/z"):
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text("x")
    links = {
        "shop/guides": "docs", "shop/docs/link": "../payments", "shop/one.py": "payments/x.py",
        "shop/away": str(home / "other"), "shop/loop": "loop", "shop/ping": "pong",
        "shop/pong": "ping", "shop/gone": "payments/not-there", "home-shop": "shop",
    }  # fmt: skip
    for link, target in links.items():
        (home / link).symlink_to(target)
    return home


def led(home, *paths, root="shop"):
    return Checkout((), home=str(home)).find(str(home / root) if root else "", paths)


NAMED = {
    "a link out of a harmless folder": ("docs/link/x.py", "shop/payments/x.py"),
    "a link to a file": ("one.py", "shop/payments/x.py"),
    "a link to another project": ("away/payments/y.py", "other/payments/y.py"),
    "a link through a link": ("guides/link/x.py", "shop/payments/x.py"),
    "up, behind a link": ("docs/link/../docs/a.md", "shop/docs/a.md"),
    "up, behind a link that leads elsewhere": ("away/../shop/payments/x.py", "shop/payments/x.py"),
    "a link that dangles": ("gone", "shop/payments/not-there"),
    "the home": ("~/home-shop/payments/x.py", "shop/payments/x.py"),
}


@pytest.mark.parametrize(("path", "real"), NAMED.values(), ids=NAMED.keys())
def test_a_name_leads_where_the_system_goes(shop, path, real):
    found = led(shop, path)
    assert found.whole
    assert str(shop / real) in (*found.real, os.path.normpath(shop / "shop" / path))
    assert os.path.realpath(shop / "shop" / path.replace("~", str(shop))) == str(shop / real)


def test_an_absolute_name_is_followed_without_a_root_too(shop):
    path = str(shop / "shop/docs/link/x.py")
    assert led(shop, path, root="").real == (str(shop / "shop/payments/x.py"),)


def test_a_name_from_a_folder_below_is_found_there(shop):
    found = led(shop, "docs", "link/x.py")
    assert found.real == (str(shop / "shop/payments/x.py"),)
    assert str(shop / "shop/payments/x.py") in led(shop, "sub/deep", "../../one.py").real


def test_what_is_where_its_name_says_is_not_told(shop):
    plain = ("payments/x.py", "docs/a.md", "not/there", "../other/payments/y.py", "and/or")
    assert led(shop, *plain) == Placed()


@pytest.mark.parametrize("name", ["loop", "ping", "docs/../loop/x"])
def test_a_loop_counts_as_not_followed(shop, name):
    assert not led(shop, name).whole


def test_a_share_of_looks_that_is_used_up_counts_as_not_followed(shop):
    paths = tuple(f"docs/{number}" for number in range(50))
    few = Checkout((), home=str(shop), most=20)
    assert not few.find(str(shop / "shop"), paths).whole
    assert led(shop, *paths).whole


def test_a_name_that_no_system_has_leads_nowhere(shop):
    assert led(shop, "a\0b", "x/" * 5000, "\udc80x", "/", "").whole


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may look everywhere")
def test_what_may_not_be_looked_at_below_the_root_counts_as_not_followed(shop):
    (shop / "shop/docs").chmod(0)
    assert not led(shop, "docs/a.md").whole


class Shut(PaperFiles):
    def look(self, path):
        if path.startswith(("/p/shut/", "/srv/shut/")):
            raise PermissionError(path)
        return super().look(path)


def test_what_may_not_be_looked_at_counts_below_the_root_only():
    assert not followed("/p", "/p/shut/x").whole
    assert followed("/p", "/srv/shut/x").whole


def followed(root, path):
    return Checkout((), looks=Shut(["/p/a"]), home="/home/u").find(root, (path,))


def test_a_root_whose_paths_are_not_followed_here_counts_as_not_followed():
    assert not Checkout((), home="/home/u").find("C:\\shop", ("x",)).whole


async def test_places_are_found_beside_the_loop_and_kept_for_a_moment(shop):
    now = [0.0]
    files = Checkout((), home=str(shop), ticks_s=lambda: now[0])
    asked = (str(shop / "shop"), ("docs/new/x",))
    assert (await files.place(*asked)).real == ()
    await asyncio.to_thread(os.symlink, "../payments", shop / "shop/docs/new")
    assert (await files.place(*asked)).real == ()
    now[0] = 2.0
    assert (await files.place(*asked)).real == (str(shop / "shop/payments/x"),)


async def test_a_file_system_that_does_not_answer_counts_as_not_followed(shop, monkeypatch):
    monkeypatch.setattr("halfdoor.store.checkout.PATIENCE_S", 0.01)
    answers = threading.Event()

    class Stuck(Disk):
        def look(self, path):
            answers.wait(5)
            return "", ""

    assert not (await Checkout((), looks=Stuck(), home="/h").place("/p", ("x",))).whole
    answers.set()


@pytest.mark.parametrize("paper", [False, True])
def test_paper_is_followed_as_the_disk_is(shop, paper):
    looks: Looks = Disk()
    if paper:
        entries = [path for path in shop.rglob("*") if not path.is_dir() or path.is_symlink()]
        links = {str(path): str(path.readlink()) for path in entries if path.is_symlink()}
        looks = PaperFiles([str(path) for path in entries if not path.is_symlink()], links)
    walk = Walk(looks, str(shop), 1000)
    for path, real in NAMED.values():
        named = str(shop / "shop" / path) if "~" not in path else path.replace("~", str(shop))
        assert walk.real(named) == str(shop / real)
    assert walk.kind(str(shop / "shop/docs")) == "folder"
    assert walk.kind(str(shop / "shop/docs/a.md")) == "file"
    assert walk.kind(str(shop / "shop/nothing")) == ""
