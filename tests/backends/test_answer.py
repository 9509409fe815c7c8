"""Bytes pushed into the reader, as no socket would cut them."""

import itertools

import pytest
from httptools.parser import errors
from hypothesis import example, given
from hypothesis import strategies as st

from halfdoor.backends.answer import BETWEEN_BYTES, HEAD_BYTES, HEADERS, AnswerReader
from halfdoor.backends.faults import WireError

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


def read(*pieces, end=False):
    """All that a reader says about these bytes: (status, headers, body, whole, keeps, fault)."""
    reader, body, fault = AnswerReader(), b"", ""
    try:
        for piece in pieces:
            reader.feed(piece)
            body += reader.take()
        if end:
            reader.eof()
    except WireError as error:
        fault, body = error.kind, body + reader.take()
    return reader.status, reader.headers, body, reader.whole, reader.keeps, fault


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


SIZED = OK + b"Content-Length: 2 \t\r\nX-Empty:\r\n\r\n{}"
ANSWERS = [
    SIZED,
    CHUNKED + b"4;ext=1\r\nabcd\r\n3\r\nefg\r\n0\r\nx-trailer: 1\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    OK + b"connection: close\r\n\r\nuntil the end",
    b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + SIZED,
    b"HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n",
    SIZED + SIZED,
    SIZED + b"more",
    CHUNKED + b"4\r\nabcdX\r\n",
    OK + b"a: b\r\n folded\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
]


@st.composite
def cut(draw):
    """An answer, maybe with a byte changed, and where it is cut."""
    data = bytearray(draw(st.sampled_from(ANSWERS)))
    if draw(st.booleans()):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    places = draw(st.lists(st.integers(0, len(data)), max_size=8))
    edges = [0, *sorted(places), len(data)]
    whole = bytes(data)
    return whole, [whole[a:b] for a, b in itertools.pairwise(edges) if a < b]


@given(cut())
@example((ANSWERS[1], bytewise(ANSWERS[1])))
@example((ANSWERS[4], bytewise(ANSWERS[4])))
def test_however_an_answer_is_cut_it_says_the_same(given_):
    whole, pieces = given_
    assert read(*pieces, end=True) == read(whole, end=True)


def test_a_sized_answer_keeps_its_connection():
    headers = (("content-length", "2"), ("x-empty", ""))
    assert read(SIZED) == (200, headers, b"{}", True, True, "")


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", OK + b"connection: close\r\n\r\n"])
def test_a_body_without_a_length_ends_with_its_connection(head):
    assert read(head, b"ab")[3] is False
    assert read(head, b"ab", end=True)[2:] == (b"ab", True, False, "")


@pytest.mark.parametrize(
    "short",
    [b"", OK, OK + b"content-length: 3\r\n\r\nab", CHUNKED, CHUNKED + b"2\r\nab\r\n0\r\n"],
)
def test_an_end_before_the_end_is_a_cut(short):
    assert read(short, end=True)[3:] == (False, False, "cut")


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: 2\r\ntransfer-encoding: chunked",
        b"transfer-encoding: chunked\r\ncontent-length: 2",
        b"content-length: 2\r\ncontent-length: 2",
        b"content-length: 2\r\ncontent-length: 3",
        b"content-length: 2, 2",
        b"content-length: +2",
        b"content-length: -2",
        b"content-length: 99999999999999999999999",
        b"content-length : 2",
        b"content-length: 2\r\n 3",
        b"transfer-encoding:\r\n chunked",
        b"transfer-encoding: chunked, identity",
        b"transfer-encoding: identity",
        b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        b"a: b\r\n\tfolded",
        b"a: b\0c",
        b"a b: c",
        b": c",
    ],
)
def test_framing_that_two_readers_could_take_differently_is_refused(headers):
    assert read(OK + headers + b"\r\n\r\n0\r\n\r\n")[3:] == (False, False, "protocol")


@pytest.mark.parametrize(
    "line", [b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK", b"HTTP/1.1 099 No", b"HTTP/1.1 2000 No"]
)
def test_what_is_not_http_1_is_refused(line):
    assert read(line + b"\r\ncontent-length: 0\r\n\r\n")[5] == "protocol"


@pytest.mark.parametrize("more", [b"x", SIZED, b"HTTP/1.1 200 OK\r\n"])
def test_bytes_after_an_answer_cost_its_connection_and_not_the_answer(more):
    assert read(SIZED + more)[2:] == (b"{}", True, False, "")
    assert read(SIZED, more)[2:] == (b"{}", True, False, "")


def test_a_switch_of_protocols_is_an_answer_that_ends_its_connection():
    assert read(b"HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc")[3:5] == (
        True,
        False,
    )


@pytest.mark.parametrize(
    "endless",
    [
        OK + b"a: " + bytes(b"b" * HEAD_BYTES),
        b"HTTP/1.1 100 Go\r\n\r\n" * HEAD_BYTES,
        OK + b"a: b\r\n" * (HEADERS + 1) + b"\r\n",
    ],
    ids=["a header", "interim answers", "many headers"],
)
def test_a_head_has_an_end(endless):
    assert read(endless)[5] == "protocol"
    assert read(*[endless[at : at + 1000] for at in range(0, len(endless), 1000)])[5] == "protocol"


def test_a_long_body_is_no_long_head():
    assert read(OK + b"content-length: 300000\r\n\r\n" + bytes(300_000))[3:] == (True, True, "")


@pytest.mark.parametrize("between", [b"0\r\nx: ", b"1;"])
def test_what_stands_between_chunks_has_an_end(between):
    endless = [b"a" * 1000] * (BETWEEN_BYTES // 1000 + 1)
    assert read(CHUNKED + b"2\r\nab\r\n", between, *endless)[5] == "protocol"


def test_trailers_are_dropped():
    done = read(CHUNKED + b"0\r\nset-cookie: x\r\n\r\n")
    assert done[1] == (("transfer-encoding", "chunked"),)
    assert done[3]


def test_one_reader_reads_one_answer_after_another():
    reader = AnswerReader()
    for body in (b"{}", b"[]"):
        reader.expect()
        reader.feed(SIZED[:-2] + body)
        assert (reader.take(), reader.whole, reader.keeps) == (body, True, True)


def test_every_error_of_the_parser_is_one_that_is_caught():
    known = [error for error in vars(errors).values() if isinstance(error, type)]
    assert len(known) > 5
    assert all(issubclass(e, errors.HttpParserError | errors.HttpParserUpgrade) for e in known)
