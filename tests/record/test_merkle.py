import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    over,
    verify_consistency,
    verify_inclusion,
)

# Source: the reference leaves and roots of google/certificate-transparency, merkle tree tests.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(f"entry {number}".encode()) for number in range(300)]


def grown(size):
    frontier = Frontier()
    for hashed in HASHES[:size]:
        frontier = frontier.append(hashed)
    return frontier


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_tree(size):
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier = frontier.append(leaf_hash(leaf))
    assert frontier.root().hex() == ROOTS[size]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert Frontier().root() == EMPTY_ROOT


def test_growing_names_every_complete_node_once():
    frontier = Frontier()
    seen: dict[tuple[int, int], bytes] = {}
    for number, hashed in enumerate(HASHES[:64]):
        frontier, completed = frontier.grow(hashed)
        seen |= {(level, number >> level): node for level, node in enumerate(completed)}
    read = over(HASHES[:64])
    assert len(seen) == 127
    assert all(node == read(*place) for place, node in seen.items())


sizes = st.integers(1, 300)


@settings(max_examples=150, deadline=None)
@given(sizes, st.data())
def test_every_leaf_is_proven_by_its_path_and_by_no_other(size, data):
    index = data.draw(st.integers(0, size - 1))
    root = grown(size).root()
    proof = inclusion_proof(index, size, over(HASHES[:size]))
    assert verify_inclusion(HASHES[index], index, size, proof, root)
    assert not verify_inclusion(HASHES[index - 1], index, size, proof, root) or size == 1
    assert not verify_inclusion(HASHES[index], index, size, (*proof, root), root)
    assert not verify_inclusion(HASHES[index], index, size, proof[:-1], root) or size == 1
    assert not verify_inclusion(HASHES[index], index + size, size, proof, root)


@settings(max_examples=150, deadline=None)
@given(sizes, st.data())
def test_an_older_tree_is_proven_to_be_a_prefix(new, data):
    old = data.draw(st.integers(1, new))
    roots = grown(old).root(), grown(new).root()
    proof = consistency_proof(old, new, over(HASHES[:new]))
    assert verify_consistency(old, new, *roots, proof)
    assert not verify_consistency(old, new, HASHES[0], roots[1], proof) or old == 1
    assert not verify_consistency(old, new, roots[0], EMPTY_ROOT, proof)
    assert not verify_consistency(old, new, *roots, (*proof, HASHES[0]))


def test_a_rewritten_prefix_has_no_consistency_proof():
    other = [node_hash(HASHES[0], HASHES[1]), *HASHES[1:20]]
    proof = consistency_proof(7, 20, over(other))
    frontier = Frontier()
    for hashed in other:
        frontier = frontier.append(hashed)
    assert not verify_consistency(7, 20, grown(7).root(), frontier.root(), proof)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5)])
def test_impossible_sizes_are_not_consistent(old, new):
    assert not verify_consistency(old, new, EMPTY_ROOT, EMPTY_ROOT, ())
