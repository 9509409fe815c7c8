"""RFC 6962 trees: hashes, the growing edge, and both proofs. Pure; storage arrives as `Read`.

A node is named by `(level, index)`: it covers the 2**level leaves from index * 2**level on.
Sources: RFC 6962 section 2.1 (hashes, paths), RFC 9162 section 2.1.3 to 2.1.4 (verification).
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct

Hash = bytes
Proof = tuple[Hash, ...]
# The hash of a complete node; leaves are level 0.
Read = Callable[[int, int], Hash]

EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> Hash:
    """Hash of an entry's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier(Struct, frozen=True):
    """All that is needed to append: the roots of the complete subtrees, widest first.

    There is one for each bit set in `size`.
    """

    size: int = 0
    peaks: tuple[Hash, ...] = ()

    def append(self, leaf: Hash) -> "Frontier":
        """The frontier with one more leaf hash."""
        return self.grow(leaf)[0]

    def grow(self, leaf: Hash) -> tuple["Frontier", Proof]:
        """Append, and tell the nodes this leaf completed: item `l` is at `(l, size >> l)`."""
        completed = [leaf]
        peaks = self.peaks
        size = self.size
        while size & 1:
            completed.append(node_hash(peaks[-1], completed[-1]))
            peaks = peaks[:-1]
            size >>= 1
        return Frontier(self.size + 1, (*peaks, completed[-1])), tuple(completed)

    def root(self) -> Hash:
        """The tree's root hash."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def over(leaves: Sequence[Hash]) -> Read:
    """Read nodes of a tree whose leaf hashes are at hand."""

    def read(level: int, index: int) -> Hash:
        if level == 0:
            return leaves[index]
        return node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))

    return read


def inclusion_proof(index: int, size: int, read: Read) -> Proof:
    """Prove that leaf `index` is in the tree of `size` leaves; needs 0 <= index < size."""
    return _path(index, 0, size, read)


def verify_inclusion(leaf: Hash, index: int, size: int, proof: Proof, root: Hash) -> bool:
    """Is this leaf hash at `index` in the tree with this size and root?"""
    if not 0 <= index < size:
        return False
    here, node, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            here = node_hash(sibling, here)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            here = node_hash(here, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and here == root


def consistency_proof(old: int, new: int, read: Read) -> Proof:
    """Prove that the tree of `old` leaves is a prefix of the tree of `new`; 0 < old <= new."""
    return _prefix(old, 0, new, read, whole=True)


def verify_consistency(old: int, new: int, old_root: Hash, new_root: Hash, proof: Proof) -> bool:
    """Does the tree (new, new_root) begin with the tree (old, old_root)?"""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    rest = list(proof) if node else [old_root, *proof]
    if not rest:
        return False
    left = right = rest.pop(0)
    for sibling in rest:
        if last == 0:
            return False
        if node & 1 or node == last:
            left, right = node_hash(sibling, left), node_hash(sibling, right)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            right = node_hash(right, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and left == old_root and right == new_root


def _path(index: int, start: int, count: int, read: Read) -> Proof:
    if count == 1:
        return ()
    left = _split(count)
    if index < start + left:
        return (*_path(index, start, left, read), _root(start + left, count - left, read))
    return (*_path(index, start + left, count - left, read), _root(start, left, read))


def _prefix(old: int, start: int, count: int, read: Read, *, whole: bool) -> Proof:
    """RFC 6962 SUBPROOF; whole: the verifier already holds this subtree's root."""
    if old == count:
        return () if whole else (_root(start, count, read),)
    left = _split(count)
    if old <= left:
        right = _root(start + left, count - left, read)
        return (*_prefix(old, start, left, read, whole=whole), right)
    inner = _prefix(old - left, start + left, count - left, read, whole=False)
    return (*inner, _root(start, left, read))


def _root(start: int, count: int, read: Read) -> Hash:
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return read(level, start >> level)
    left = _split(count)
    return node_hash(_root(start, left, read), _root(start + left, count - left, read))


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
