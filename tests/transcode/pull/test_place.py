"""A source's address: what is taken, what is refused, what people see of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.pull.place import Place, join, parse
from transcode.pull.ways import tc_url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (
            "rtsp://ann:p%40ss@camera.example/live?profile=1",
            Place("rtsp", "camera.example", 554, "/live", "profile=1", "ann", "p@ss"),
        ),
        ("RTMP://Host.Example/live/key", Place("rtmp", "host.example", 1935, "/live/key")),
        ("https://[2606:4700::1]:8443", Place("https", "[2606:4700::1]", 8443, "")),
        ("http://a@h/", Place("http", "h", 80, "/", "", "a")),
        ("http://:p@h/x#part", Place("http", "h", 80, "/x", "", "", "p")),
    ],
)
def test_what_is_taken(url: str, place: Place) -> None:
    assert parse(url) == place
    assert parse(place.url) == place


@pytest.mark.parametrize(
    "url",
    [
        "", "camera.example", "file:///etc/passwd", "/etc/passwd", "srt://h", "udp://@239.0.0.1:1",
        "concat:http://a/|http://b/", "http:///x", "http://", "http://h:0/", "http://h:99999/",
        "http://h:x/", "http://a@b@h/", "http://h\\@evil/", "http://h /", "http://h\t/", "http://h/\n",
        "http://häuser.example/", "http://h/ä", "http://[::1/", "http://[fe80::1%25eth0]/",
        "http://-h/", "http://h" + "x" * 2_000, "rtsp://ann:[passwd]@h/", "rtsp://[passwd]/",
    ],
)  # fmt: skip
def test_what_is_refused_is_not_quoted(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(url)
    assert "evil" not in str(caught.value)
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("rtsp://ann:s3cret@h/live", "rtsp://ann:***@h/live"),
        ("rtsp://ann@h/live", "rtsp://ann@h/live"),
        ("https://h/x.m3u8?token=s3cret&t=1&s3cret", "https://h/x.m3u8?token=***&t=***&***"),
        ("http://h:8080/a.mp4", "http://h:8080/a.mp4"),
    ],
)
def test_people_see_no_secret(url: str, masked: str) -> None:
    assert parse(url).masked == masked
    assert "s3cret" not in masked


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    for url in (text, f"http://{text}", f"rtsp://h/{text}"):
        try:
            place = parse(url)
        except ValueError:
            continue
        assert parse(place.url) == place


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://u:p@h/b"),
        ("c", "https://u:p@h/a/c"),
        ("http://other/", "http://other/"),
        ("//other/x", "https://other/x"),
    ],
)
def test_a_redirect_takes_the_password_nowhere_else(location: str, url: str) -> None:
    assert join(parse("https://u:p@h/a/b"), location).url == url


@pytest.mark.parametrize("location", ["http://[s3cret]/", "//a[s3cret", "ftp://s3cret/", "//a b"])
def test_a_redirect_that_leads_nowhere_is_not_quoted(location: str) -> None:
    with pytest.raises(ValueError) as caught:
        join(parse("https://u:p@h/a/b"), location)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "tc"),
    [
        ("rtmp://h/live/key", "rtmp://h/live"),
        ("rtmps://h:444/app/instance/key", "rtmps://h:444/app/instance"),
        ("rtmp://u:p@h/live/key?t=1", "rtmp://h/live"),
        ("rtmp://h", "rtmp://h/"),
    ],
)
def test_rtmp_hears_its_own_name(url: str, tc: str) -> None:
    assert tc_url(parse(url)) == tc
