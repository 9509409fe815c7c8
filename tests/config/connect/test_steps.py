import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.config.connect import records, steps
from halfdoor.config.connect.change import Unfit
from halfdoor.config.connect.files import SUFFIX, settings_file
from halfdoor.config.tools import TOOLS
from halfdoor.config.tools.aider import AIDER
from halfdoor.config.tools.claude import CLAUDE
from halfdoor.config.tools.codex import CODEX
from halfdoor.config.tools.continues import CONTINUE
from halfdoor.config.tools.opencode import OPENCODE
from halfdoor.config.tools.tool import Wish
from halfdoor.config.tools.vscode import VSCODE
from halfdoor.errors import SetupError
from tests.config.connect.texts import OBJECTS, json_texts, place, toml_texts, yaml_texts

WISH = Wish("http://127.0.0.1:4114")
NOW = "2026-11-21T04:00:00.000Z"
TEXTS = st.one_of(
    st.tuples(st.sampled_from([CLAUDE, OPENCODE]), json_texts()),
    st.tuples(st.just(VSCODE), json_texts(st.lists(OBJECTS, max_size=2))),
    st.tuples(st.just(CODEX), toml_texts()),
    st.tuples(st.sampled_from([AIDER, CONTINUE]), yaml_texts()),
)


class Home:
    """A user's home, with a state directory in it."""

    def __init__(self, folder):
        self.root = Path(folder)
        self.state = self.root / "state"

    def file(self, tool, data=None, mode=0o600):
        file = settings_file(place(tool), self.root, None)
        if data is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(mode)
        return file

    def connect(self, tool, wish=WISH, nonce="1f2e3d4c"):
        file = settings_file(place(tool), self.root, None)
        step = steps.connecting(tool, file, self.root, wish, self.state, nonce=nonce, now=NOW)
        steps.done(step, self.state)
        return step

    def disconnect(self, tool):
        file = settings_file(place(tool), self.root, None)
        step = steps.disconnecting(tool, file, self.root, self.state)
        steps.done(step, self.state)
        return step

    def found(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file())


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@given(TEXTS, st.sampled_from([0o600, 0o644, 0o400]))
def test_connect_and_disconnect_leave_every_byte_and_the_mode_as_they_were(drawn, mode):
    tool, text = drawn
    with tempfile.TemporaryDirectory() as folder:
        home = Home(folder)
        file = home.file(tool, text.encode(), mode)
        try:
            home.connect(tool)
        except Unfit:
            assert file.read_bytes() == text.encode()
            return
        assert b"/via/" in file.read_bytes()
        home.disconnect(tool)
        assert file.read_bytes() == text.encode()
        assert file.stat().st_mode & 0o777 == mode
        assert home.found() == sorted([str(file.relative_to(folder)), "state/connections.json"])


@pytest.mark.parametrize("tool", [t for t in TOOLS if t.place], ids=lambda tool: tool.name)
def test_a_file_that_connect_made_goes_with_disconnect(home, tool):
    home.connect(tool)
    assert home.file(tool).stat().st_mode & 0o777 == 0o600
    home.disconnect(tool)
    assert home.found() == ["state/connections.json"]
    assert records.connections(home.state) == ()


@pytest.mark.parametrize("tool", [t for t in TOOLS if t.place], ids=lambda tool: tool.name)
def test_connecting_twice_changes_nothing(home, tool):
    home.connect(tool)
    before = home.file(tool).read_bytes()
    assert home.connect(tool, nonce="99999999").idle
    assert home.file(tool).read_bytes() == before


@given(TEXTS)
def test_connecting_to_another_address_and_back_is_undone_all_the_same(drawn):
    tool, text = drawn
    with tempfile.TemporaryDirectory() as folder:
        home = Home(folder)
        file = home.file(tool, text.encode())
        try:
            home.connect(tool)
        except Unfit:
            return
        home.connect(tool, Wish("http://127.0.0.1:5000", model="m", context=4096))
        assert b"4114" not in file.read_bytes()
        home.disconnect(tool)
        assert file.read_bytes() == text.encode()


def test_a_copy_with_what_was_there_stands_beside_the_file_meanwhile(home):
    before = b'{"env": {"ANTHROPIC_AUTH_TOKEN": "mine"}}'
    file = home.file(CLAUDE, before, 0o640)
    home.connect(CLAUDE)
    copy = file.with_name(file.name + SUFFIX)
    assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (before, 0o640)
    home.disconnect(CLAUDE)
    assert not copy.exists()


def test_what_a_person_changed_since_stays_and_the_copy_with_it(home):
    file = home.file(CODEX, b'model = "gpt-5"\n')
    home.connect(CODEX)
    file.write_bytes(file.read_bytes() + b"\n[history]\nmax_bytes = 1\n")
    assert home.disconnect(CODEX).left == ()
    assert file.read_bytes() == b'model = "gpt-5"\n\n[history]\nmax_bytes = 1\n'
    assert file.with_name(file.name + SUFFIX).exists()


def test_without_its_copy_a_file_is_undone_by_what_was_written_down(home):
    file = home.file(CODEX, b'model = "gpt-5"\n')
    home.connect(CODEX)
    file.with_name(file.name + SUFFIX).write_bytes(b"spoilt")
    home.disconnect(CODEX)
    assert file.read_bytes() == b'model = "gpt-5"\n'


def test_a_file_that_was_deleted_meanwhile_is_connected_as_a_new_one(home):
    file = home.file(CODEX, b'model = "gpt-5"\n')
    home.connect(CODEX)
    file.unlink()
    home.connect(CODEX)
    home.disconnect(CODEX)
    assert not file.exists()
    assert file.with_name(file.name + SUFFIX).read_bytes() == b'model = "gpt-5"\n'


def test_disconnecting_a_file_that_was_deleted_forgets_it(home):
    home.file(CODEX, b"")
    home.connect(CODEX)
    home.file(CODEX).unlink()
    home.disconnect(CODEX)
    assert records.connections(home.state) == ()


def test_what_is_written_down_is_its_owners_alone(home):
    home.connect(CLAUDE)
    assert (home.state / records.FILE).stat().st_mode & 0o777 == 0o600


def test_a_link_that_leads_out_of_the_home_is_refused(home, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "settings.json"
    outside.write_text("{}")
    (home.root / ".claude").mkdir()
    (home.root / ".claude/settings.json").symlink_to(outside)
    with pytest.raises(SetupError, match="leads out of"):
        home.connect(CLAUDE)
    assert outside.read_text() == "{}"


def test_a_link_of_a_folder_that_leads_out_of_the_home_is_refused(home, tmp_path_factory):
    (home.root / ".claude").symlink_to(tmp_path_factory.mktemp("outside"))
    with pytest.raises(SetupError, match="leads out of"):
        home.connect(CLAUDE)


def test_a_link_within_the_home_stays_a_link(home):
    (home.root / "dotfiles").mkdir()
    (home.root / "dotfiles/claude.json").write_text("{}")
    (home.root / ".claude").mkdir()
    link = home.root / ".claude/settings.json"
    link.symlink_to(home.root / "dotfiles/claude.json")
    home.connect(CLAUDE)
    assert link.is_symlink()
    assert "/via/" in link.read_text()
    home.disconnect(CLAUDE)
    assert link.read_text() == "{}"


def test_a_link_in_a_circle_is_refused(home):
    (home.root / ".claude").mkdir()
    (home.root / ".claude/settings.json").symlink_to(home.root / ".claude/settings.json")
    with pytest.raises(SetupError):
        home.connect(CLAUDE)


def test_a_pipe_is_not_opened(home):
    (home.root / ".claude").mkdir()
    os.mkfifo(home.root / ".claude/settings.json")
    with pytest.raises(SetupError, match="not a regular file"):
        home.connect(CLAUDE)


def test_a_file_that_another_writes_meanwhile_is_not_touched(home):
    file = home.file(CLAUDE, b"{}")
    step = steps.connecting(CLAUDE, file, home.root, WISH, home.state, nonce="1f2e3d4c", now=NOW)
    file.write_bytes(b'{"x": 1}')
    with pytest.raises(SetupError, match="changed by another"):
        steps.done(step, home.state)
    assert file.read_bytes() == b'{"x": 1}'


@pytest.mark.parametrize("data", [b"\xff{}", b"{", b"\xef\xbb\xbf{}"])
def test_a_file_that_cannot_be_read_as_its_kind_is_refused_with_the_lines_to_add(home, data):
    file = home.file(CLAUDE, data)
    with pytest.raises(Unfit) as refused:
        home.connect(CLAUDE)
    assert '"ANTHROPIC_BASE_URL"' in refused.value.hint
    assert file.read_bytes() == data


def test_a_secret_is_never_written_where_a_variable_can_be_named(home):
    for tool in (t for t in TOOLS if t.place):
        home.connect(tool, Wish(WISH.root, env="HALFDOOR_TOKEN_ANA"))
        text = home.file(tool).read_text()
        assert "unused" not in text
        assert ("HALFDOOR_TOKEN_ANA" in text) is not bool(place(tool).no_env), tool.name


def test_a_tools_own_key_stays_where_a_backend_takes_it(home):
    home.connect(CLAUDE, Wish(WISH.root, keyed=False))
    assert "ANTHROPIC_AUTH_TOKEN" not in home.file(CLAUDE).read_text()
