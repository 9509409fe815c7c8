import pytest

from halfdoor.canon.labels import Label
from halfdoor.detect.provenance import MOST_FILES, ProvenanceDetector, pack, selected
from halfdoor.reading.grams import shingles
from halfdoor.reading.passages import Passage

LEDGER = "".join(
    f"def step{n}(total, rate{n}):\n    return total * rate{n} + fee_of(total, {n})\n"
    for n in range(9)
)
TAX = "".join(
    f"class Tax{n}(Rule):\n    share = {n}\n    region = 'zone-{n}'\n    applies = during(year={n})\n"
    for n in range(9)
)


def index(*files):
    return pack((labels, set(selected(shingles([text])))) for labels, text in files)


def found(detector, *texts):
    return {label.name for label in detector.find(Passage("messages[0]", texts=texts))}


def test_a_piece_of_a_file_has_the_files_labels():
    detector = ProvenanceDetector((index((("path:a", "repo:r"), LEDGER), (("path:b",), TAX)),))
    assert found(detector, "see:", LEDGER[100:400]) == {"path:a", "repo:r"}
    assert found(detector, TAX[:300]) == {"path:b"}
    assert found(detector, "nothing of either") == set()


def test_the_label_stands_where_the_passage_does():
    detector = ProvenanceDetector((index((("path:a",), LEDGER)),))
    assert detector.find(Passage("messages[3]", texts=(LEDGER,))) == (
        Label("path:a", "messages[3]", "provenance"),
    )


def test_several_indexes_are_one():
    detector = ProvenanceDetector((index((("path:a",), LEDGER)), index((("path:b",), TAX))))
    assert found(detector, LEDGER, TAX) == {"path:a", "path:b"}
    assert ProvenanceDetector((index((("path:a",), LEDGER)),)).identity != detector.identity


def test_what_stands_in_many_files_is_nobodys():
    many = [((f"path:{n}",), LEDGER) for n in range(MOST_FILES + 1)]
    assert found(ProvenanceDetector((index(*many),)), LEDGER) == set()
    assert len(found(ProvenanceDetector((index(*many[1:]),)), LEDGER)) == MOST_FILES


def test_one_fingerprint_of_each_of_two_files_is_not_enough():
    one, two = (min(selected(shingles([text]))) for text in (LEDGER, TAX))
    detector = ProvenanceDetector((pack([(("path:a",), {one}), (("path:a",), {two})]),))
    assert found(detector, LEDGER, TAX) == set()


def test_without_an_index_nothing_is_looked_for():
    assert ProvenanceDetector(()).find(Passage("", texts=(LEDGER,))) == ()


@pytest.mark.parametrize(
    "data", [b"no index", index((("path:a",), LEDGER)).replace(b"\x95\x01", b"\x95\x63", 1)]
)
def test_what_is_no_index_is_refused(data):
    with pytest.raises(ValueError, match="index"):
        ProvenanceDetector((data,))
