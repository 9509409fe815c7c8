"""The index that a person allowed adds what it knows of a name, and never turns a failure round."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.helpers.checkouts import write

CODE = "import there\nimport nowhere\nimport broken\n\nprint(there, nowhere, broken)\n"


class Index(BaseHTTPRequestHandler):
    """Knows one name; a HEAD with a length and no body, as real ones answer."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self):
        self.asked.append(self.path)
        status = {"/simple/there/": 200, "/simple/broken/": 503, "/npm/@a%2Fthere": 200}.get(
            self.path, 404
        )
        self.send_response(status)
        self.send_header("content-length", "1234")
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def index(gate, home, loopback):
    Index.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    write(home, {".config/halfdoor/config.toml": f'[gate]\nindex = "{url}"\n'})
    write(gate.folder, {"a.py": CODE})
    yield Index
    server.shutdown()
    server.server_close()
    thread.join()


def messages(said):
    return [line.rpartition("installed; ")[2].partition(" [")[0]
            for line in said.out.splitlines() if "no-such-package" in line]  # fmt: skip


def test_the_index_is_asked_once_a_name_and_remembered_for_a_day(gate, index):
    said = gate("--index")
    assert said.code == 3
    assert messages(said) == [
        "exists in the index, undeclared",
        "does not exist in the index",
        "whether the index has it is unknown",
    ]
    assert sorted(index.asked) == ["/simple/broken/", "/simple/nowhere/", "/simple/there/"]
    gate("--index")
    assert index.asked[3:] == ["/simple/broken/"]


def test_the_index_of_npm_is_asked_about_javascript_alone(gate, index, home):
    url = (home / ".config/halfdoor/config.toml").read_text().split('"')[1]
    npm = url.replace("/simple", "/npm")
    write(home, {".config/halfdoor/config.toml": f'[gate]\nnpm_index = "{npm}"\n'})
    write(
        gate.folder,
        {"a.py": "import nowhere\n", "b.ts": 'import "@a/there"; import "nowhere/x";\n'},
    )
    assert messages(gate("--index")) == [
        "no index of its language is configured",
        "exists in the index, undeclared",
        "does not exist in the index",
    ]
    assert sorted(index.asked) == ["/npm/@a%2Fthere", "/npm/nowhere"]


def test_without_being_told_to_nobody_is_asked(gate, index):
    assert gate().code == 3
    assert index.asked == []


def test_a_projects_file_cannot_name_an_index(gate):
    write(gate.folder, {".halfdoor.toml": '[gate]\nindex = "http://127.0.0.1:9/"\n'})
    write(gate.folder, {"a.py": CODE})
    assert "no package index is configured" in gate("--index").err


def test_an_index_that_does_not_answer_changes_nothing(gate, home, loopback):
    write(home, {".config/halfdoor/config.toml": '[gate]\nindex = "http://127.0.0.1:9/simple"\n'})
    write(gate.folder, {"a.py": CODE})
    said = gate("--index")
    assert (said.code, set(messages(said))) == (3, {"whether the index has it is unknown"})


def test_offline_an_index_elsewhere_is_not_asked(gate, home):
    text = '[server]\noffline = true\n[gate]\nindex = "https://index.example.org/simple"\n'
    write(home, {".config/halfdoor/config.toml": text})
    write(gate.folder, {"a.py": CODE})
    assert set(messages(gate("--index"))) == {"whether the index has it is unknown"}
