import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.detect.paths import PathDetector
from halfdoor.reading.passages import PATHS_TOLD, Passage


def labels(globs, *paths):
    found = PathDetector(tuple(globs)).find(Passage(place="messages[1]", paths=paths))
    return [label.name for label in found]


MATCHES = [
    ("payments/**", "payments/x.py"), ("payments/**", "src/payments/x.py"),
    ("payments/**", "/home/u/p/payments/a/b.py"), ("payments/**", "PAYMENTS/X.py"),
    ("payments/**", "payments"), ("payments/", "payments/x"),
    ("*.pem", "keys/server.pem"), ("infra/*.tf", "infra/main.tf"), ("infra/**/*.tf", "infra/a/b.tf"),
    ("infra/**/*.tf", "infra/b.tf"), ("**/secret.txt", "a/b/secret.txt"), (".env*", "app/.env.local"),
    ("src/**/pay/*", "src/a/b/pay/x"), ("a?c.py", "abc.py"),
    ("caf?/**", "src/café/x"), ("a?/x", "a語/x"),
    ("app/[id].tsx", "web/app/[id].tsx"), ("größe/**", "src/größe/x"), ("**", "anything"),
]  # fmt: skip
MISSES = [
    ("payments/**", "xpayments/a"), ("payments/**", "payments2/a"), ("payments/**", "src/payment/x"),
    ("*.pem", "a.pem.txt"), ("infra/*.tf", "infra/a/b.tf"),
    ("a?c.py", "a/c.py"), ("a?/x", "aéé/x"), ("a.py", "axpy"), ("app/[id].tsx", "app/i.tsx"),
]  # fmt: skip


@pytest.mark.parametrize(("glob", "path"), MATCHES)
def test_a_glob_matches_at_any_directory_boundary(glob, path):
    assert labels([glob], "other/file.py", path, "last.py") == [f"path:{glob}"]


@pytest.mark.parametrize(("glob", "path"), MISSES)
def test_a_glob_matches_nothing_else(glob, path):
    assert labels([glob], "other/file.py", path, "last.py") == []


ROOT = "/home/u/shop"
ROOTED = [
    ("payments/x", True), ("src/payments/x", False), (f"{ROOT}/payments/x", True), ("payments", True),
    (f"{ROOT}/src/payments/x", False), ("/home/u/SHOP/Payments/x", True), ("../payments/x", True),
    ("/home/u/payments/x", False), ("/payments/x", True), ("~/shop/payments/x", True),
    ("a/../payments/x", True), ("pay*/x", True), ("paying/x", False),
]  # fmt: skip


@pytest.mark.parametrize("glob", ["/payments/**", "./payments/**"])
@pytest.mark.parametrize(("path", "held"), ROOTED)
def test_a_glob_from_the_root_counts_from_there_where_the_root_is_known(glob, path, held):
    assert PathDetector((glob,)).rooted((path,), ROOT) == ((glob,) if held else ())


def test_a_glob_from_the_root_counts_at_any_boundary_where_no_root_is_known():
    detector = PathDetector(("/payments/**", "docs/**"))
    assert detector.rooted(("src/payments/x",), "") == ("/payments/**",)
    assert detector.matching(("src/payments/x", "docs/a")) == ("docs/**",)
    assert labels(["/payments/**"], "payments/x") == []


def test_more_paths_than_can_be_followed_count_as_not_scanned():
    many = [f"src/{number}.py" for number in range(PATHS_TOLD + 1)]
    assert labels(["payments/**"], *many) == ["scan-failed"]
    assert labels([], *many) == []


def test_a_way_round_is_left_to_the_file_system():
    assert labels(["payments/**"], "payments/../docs/x") == []


def test_every_glob_that_matches_is_its_own_label():
    assert labels(["a/**", "*.py", "b/**"], "a/x.py") == ["path:a/**", "path:*.py"]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=4))
def test_any_glob_is_read_and_more_paths_never_remove_a_label(glob, paths):
    before = labels([glob, "pay/**"], "src/pay/x")
    assert set(before) <= set(labels([glob, "pay/**"], "src/pay/x", *paths))


@pytest.mark.parametrize(
    "asked",
    [
        "pay*ts/x", "pay?ents/x", "pay[m]ents/x", "[p]ayments", "src/pay*", "*yments/x", "p*/x",
        "Pay*/x", "a/**/pay*/x",
    ],
)  # fmt: skip
def test_a_shell_pattern_that_may_mean_a_ruled_file_counts_as_one(asked):
    assert labels(["payments/**"], asked) == ["path:payments/**"]


@pytest.mark.parametrize(
    "asked", ["*.py", "src/*.ts", "**/*.py", "src/*/index.ts", "*", "pay?/x", "x*ts/x", "pay[s]/x"]
)
def test_a_shell_pattern_that_lists_everything_or_something_else_does_not(asked):
    assert labels(["payments/**"], asked) == []


def test_a_pattern_may_mean_a_ruled_kind_of_file():
    assert labels(["*.pem"], "keys/server.p*") == ["path:*.pem"]
    assert labels(["infra/**/*.tf"], "infra/a/ma*.tf") == ["path:infra/**/*.tf"]
    assert labels(["infra/**/*.tf"], "infra/a/ma*.py") == []


def test_a_letter_that_file_systems_write_in_two_ways_is_one():
    assert labels(["größe/**"], "gro\u0308ße/x") == ["path:größe/**"]
    assert labels(["gro\u0308ße/**"], "GRÖSSE/x") == ["path:gro\u0308ße/**"]


def test_half_a_surrogate_pair_in_a_path_fails_nothing():
    assert labels(["payments/**"], "\ud800/[a]*", "pay*s/\udc00") == ["path:payments/**"]
