import pytest

from halfdoor.backends.wire import origin, request_head, request_line, target_of


@pytest.mark.parametrize(
    ("url", "authority", "field"),
    [
        ("http://127.0.0.1:11434/v1", "127.0.0.1:11434", "127.0.0.1:11434"),
        ("https://api.example", "api.example:443", "api.example"),
        ("http://api.example:443", "api.example:443", "api.example:443"),
        ("http://[::1]/v1", "[::1]:80", "[::1]"),
        ("http://[::1]:8080", "[::1]:8080", "[::1]:8080"),
        ("http://Bücher.example", "xn--bcher-kva.example:80", "xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_named_in_a_permit_and_in_a_request(url, authority, field):
    assert (origin(url).authority, origin(url).field) == (authority, field)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "x", "http://[::1", "http://x:99999"])
def test_what_names_no_host_is_no_origin(url):
    with pytest.raises(ValueError, match=r"(?s).*"):
        origin(url)


def test_a_target_is_path_and_query_without_a_fragment():
    assert target_of("http://x/v1/models?a=%20b#c") == "/v1/models?a=%20b"
    assert target_of("http://x") == "/"


def test_a_head_is_lines_and_an_empty_one():
    line = request_line("POST", "/v1?a=b", "x:1")
    assert request_head(line, [("A", "caf\xe9"), ("b", "")], 3) == (
        b"POST /v1?a=b HTTP/1.1\r\nhost: x:1\r\nA: caf\xe9\r\nb: \r\ncontent-length: 3\r\n\r\n"
    )
    assert request_head(line, [], None).endswith(b"host: x:1\r\n\r\n")


@pytest.mark.parametrize(
    "header",
    [
        ("a", "b\r\nx-api-key: planted"),
        ("a", "b\nc: d"),
        ("a", "b\rc"),
        ("a", "b\0c"),
        ("a", "€"),
        ("a: b\r\nc", "d"),
        ("a b", "c"),
        ("a:", "c"),
        ("", "c"),
    ],
)
def test_a_header_that_is_not_one_line_goes_nowhere(header):
    with pytest.raises(ValueError, match=r"(?s).*"):
        request_head("", [("one", "1"), header], 0)


@pytest.mark.parametrize("place", ["", "v1", "/a b", "/a\r\nb", "/\x7f", "/€", "*"])
def test_a_place_that_could_end_the_line_goes_nowhere(place):
    with pytest.raises(ValueError, match=r"(?s).*"):
        request_line("POST", place, "x")
