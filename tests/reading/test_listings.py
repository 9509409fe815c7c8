import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.detect.paths import PathDetector
from halfdoor.reading.effects import paths_listed

RULES = PathDetector(("payments/**", "**/*.pem", "infra/secrets/**"))
TREE = [
    {"name": "src", "type": "directory", "children": [{"name": "a.py", "type": "file"}]},
    {"name": "payments", "type": "directory", "children": [{"name": "x.py", "type": "file"}]},
]


class Everything:
    """Every line tells."""

    def telling(self, text):
        return True

    def telling_lines(self, text):
        lines = text.split("\n")
        return zip(lines, [*lines[1:], ""], strict=True)


def labels(text):
    return RULES.matching(paths_listed((text,), RULES))


LISTINGS = {
    "find": "./README.md\n./payments/x.py\n",
    "find with a space": "./read me\n./payments/the keys\n",
    "git ls-files": "src/a.py\npayments/Makefile\n",
    "git ls-files -s": "100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\tpayments/x.py\n",
    "git ls-tree": "100644 blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\tpayments/x.py\n",
    "git status": "On branch main\n\tmodified:   payments/x.py\n",
    "git status renamed": "On branch main\n\trenamed:    a.py -> payments/x.py\n",
    "git status -s": " M src/a.py\n?? payments/new.py\n",
    "git diff --stat": " src/a.py      | 2 +-\n payments/x.py | 12 ++++----\n",
    "git diff --name-status": "M\tsrc/a.py\nR100\tpayments/x.py\tsrc/x.py\n",
    "git diff --numstat": "1\t2\tpayments/x.py\n",
    "ls of a key": "README.md\nserver.pem\n",
    "ls -l of a key": "total 8\n-rw-r--r-- 1 u u 1704 Nov 21 03:00 server.pem\n",
    "ls -R": ".:\npayments\n\n./payments:\nx.py\n",
    "ls of two": "payments:\nx.py\n\nsrc:\na.py\n",
    "tree": ".\n├── README.md\n└── payments\n    └── Makefile\n",
    "tree of ascii": ".\n|-- README.md\n`-- payments\n    `-- Makefile\n",
    "tree below": "infra\n├── main.tf\n└── secrets\n    └── db\n",
    "claude LS": "- /home/u/p/\n  - src/\n    - a.py\n  - payments/\n    - x.py\n",
    "opencode list": "/home/u/p/\n  src/\n    a.py\n  payments/\n    x.py\n",
    "cline list": "src/\nsrc/a.py\npayments/\npayments/x.py\n",
    "mcp list": "[DIR] src\n[FILE] server.pem\n",
    "mcp tree": json.dumps(TREE, indent=2),
    "mcp tree in one line": json.dumps(TREE),
    "wc": "   10 src/a.py\n   20 payments/x.py\n   30 total\n",
    "sha256sum": "a" * 64 + "  payments/x.py\n",
    "du": "12K\tsrc\n8K\tpayments/x.py\n",
    "claude Grep": "Found 2 files\nsrc/a.py\npayments/x.py",
    "glob": "/home/u/p/payments/x.py\n/home/u/p/src/a.py",
    "find -ls": " 123 4 -rw-r--r-- 1 u u 99 Nov 21 03:00 ./payments/x.py\n",
    "one name": "payments/x.py",
}  # fmt: skip
NOTHING = {
    "a folder's name alone": "README.md\npayments\nsrc\n",
    "with a slash": "README.md\npayments/\nsrc/\n",
    "in a tree": ".\n├── README.md\n├── payments\n└── src\n",
    "claude LS": "- /home/u/p/\n  - payments/\n  - src/\n",
    "ls -l": "drwxr-xr-x 2 u u 4096 Nov 21 03:00 payments\n",
    "an import": 'src/a.ts\nimport {x} from "payments/x"\n',
    "grep's text": "src/a.py:12:# see payments/x.py\n",
    "a sum": "total payments: 12\n",
    "code": "open(payments/x)\nkey: payments/x,\n",
    "a setting": "payments:\n  url: x\n",
    "json without names": '{"children": [1, {"payments": 2}]}\n',
    "no json": '{"children": payments/x}\n',
}


@pytest.mark.parametrize("which", LISTINGS)
def test_a_listing_names_the_files_it_shows(which):
    assert labels(LISTINGS[which]) != ()


@pytest.mark.parametrize("which", NOTHING)
def test_a_folders_name_alone_and_code_are_no_files_shown(which):
    assert labels(NOTHING[which]) == ()


def test_names_are_put_together_from_a_tree():
    text = "top\n├── a\n│   ├── b.py\n│   └── c\n│       └── d.py\n└── e.py\n"
    found = paths_listed((text,), Everything())
    assert {"top/a/b.py", "top/a/c/d.py", "top/e.py"} <= set(found)
    assert "top/a/c/e.py" not in found


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='├└─│ -/.:\tpa1\n{}[]"', max_size=80), st.text(max_size=40))
def test_any_text_can_be_read_as_a_listing(shape, text):
    assert all(paths_listed((shape, text, shape + "\n" + text), Everything()))
    assert labels(f"{shape}\n./payments/x.py\n")
