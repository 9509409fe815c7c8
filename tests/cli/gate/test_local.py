"""What this machine knows is used: text of restricted files, and the exchanges of the log."""

import json
import zipfile

from halfdoor.cli.gate import local
from halfdoor.store import index
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from tests.helpers.checkouts import commit, write
from tests.store.ledgers import written

SECRET_TEXT = " ".join(
    f"the margin of deal {n} is agreed with partner {n * 7} in writing" for n in range(40)
)


def test_text_of_a_restricted_file_is_found_where_it_does_not_belong(gate, halfdoor, home):
    rules = '[[rules]]\nlabel = "path:deals/**"\nceiling = "device"\n'
    write(gate.folder, {".halfdoor.toml": rules, "deals/a.md": SECRET_TEXT})
    commit(gate.folder, "deals")
    assert halfdoor("policy", "index", "--project", gate.folder).code == 0
    write(gate.folder, {"public/b.md": SECRET_TEXT, "deals/c.md": SECRET_TEXT})
    code, _, codes, _ = gate.json()
    assert (code, codes) == (3, ["restricted"])
    assert "public/b.md:1:1: this is text that is kept on the device: path:deals/**" in gate().out


def test_a_broken_index_skips_the_check(gate, home):
    state = home / ".local/state/halfdoor"
    write(state, {"provenance/broken.idx": "no index"})
    LogKeys.load_or_create(state)
    write(gate.folder, {"a.py": "x = 1\n"})
    code, _, _, checks = gate.json()
    assert (code, checks["secrets"]) == (4, "skipped")


def test_a_commit_that_a_tool_helped_with_must_name_an_exchange_of_the_log(gate):
    write(gate.folder, {".halfdoor.toml": "[gate]\nrequire_trace = true\n"})
    commit(gate.folder, "settings")
    write(gate.folder, {"a.py": "x = 1\n"})
    commit(gate.folder, "change\n\nCo-Authored-By: Claude <noreply@anthropic.com>")
    assert gate.json("--diff", "HEAD~1..HEAD")[2] == ["untraced"]
    write(gate.folder, {"a.py": "x = 2\n"})
    commit(gate.folder, f"change\n\nHalfdoor-Exchange: hd_{'0' * 26}")
    assert gate.json("--diff", "HEAD~1..HEAD")[:3] == (4, "skipped", [])


def test_an_exchange_is_looked_up_in_the_log_of_this_machine(gate, home):
    state = home / ".local/state/halfdoor"
    written(state)
    with LogReader(state) as log:
        exchange = log.recent(1)[0].decided.id
    write(gate.folder, {".halfdoor.toml": "[gate]\nrequire_trace = true\n"})
    commit(gate.folder, "settings")
    write(gate.folder, {"a.py": "x = 1\n"})
    commit(gate.folder, f"change\n\nHalfdoor-Exchange: {exchange}")
    assert gate.json("--diff", "HEAD~1..HEAD")[:3] == (0, "passed", [])
    write(gate.folder, {"a.py": "x = 2\n"})
    commit(gate.folder, f"change\n\nHalfdoor-Exchange: hd_{'z' * 26}")
    assert gate.json("--diff", "HEAD~1..HEAD")[2] == ["no-exchange"]


def test_advisories_that_were_taken_in_judge_new_pins(gate, halfdoor, tmp_path):
    affected = {"package": {"ecosystem": "PyPI", "name": "requests"}, "versions": ["1.0"]}
    told = tmp_path / "all.zip"
    with zipfile.ZipFile(told, "w") as made:
        made.writestr("PYSEC-1.json", json.dumps({"id": "PYSEC-1", "affected": [affected]}))
    write(gate.folder, {"requirements.txt": "requests==1.0\n"})
    assert "not applicable: vulnerable (unknown: 1 new pin, no advisories of PyPI" in gate().out
    assert halfdoor("gate", "sync", told).out == "PyPI: advisories about 1 package\n"
    assert gate.json()[:3] == (3, "failed", ["PYSEC-1"])


def test_the_folder_of_indexes_is_the_stores_own():
    assert local._INDEXES == index.FOLDER
