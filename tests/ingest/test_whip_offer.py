"""Offers of the clients that there are, what is refused with which words, and candidates."""

from __future__ import annotations

import pytest
from aiortc import sdp
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.unit import VideoCodec
from ingest.whip_offer import MOST_LINES, Unsupported, read_fragment, read_offer
from tests.helpers.offers import ALL, CHROME, GSTREAMER, OBS_30, written


def test_obs_30() -> None:
    offer = read_offer(written(OBS_30))
    audio, video = offer.tracks
    assert (audio.kind, audio.mid, video.kind, video.mid) == ("audio", "0", "video", "1")
    assert video.video == {96: VideoCodec.H264}
    assert video.retransmits == {}
    assert offer.ufrag == "dCab"
    assert offer.candidates == 4


def test_gstreamer() -> None:
    video, audio = read_offer(written(GSTREAMER)).tracks
    assert video.video == {96: VideoCodec.H264}
    assert video.retransmits == {97: 96}
    assert audio.codecs[0].payloadType == 98


def test_chrome() -> None:
    offer = read_offer(written(CHROME))
    audio, video = offer.tracks
    assert [codec.payloadType for codec in audio.codecs] == [111]
    assert video.video == {39: VideoCodec.H264, 96: VideoCodec.VP8}
    assert video.retransmits == {40: 39, 97: 96}
    assert offer.candidates == 1, "neither the hidden address nor TCP"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_what_aiortc_gets_has_nothing_but_what_we_use(name: str, line_end: str) -> None:
    described = sdp.SessionDescription.parse(read_offer(ALL[name].replace("\n", line_end)).text)
    for media in described.media:
        assert {codec.name.lower() for codec in media.rtp.codecs} <= {"opus", "h264", "vp8", "rtx"}
        extensions = {each.uri.rsplit("/", 1)[-1] for each in media.rtp.headerExtensions}
        assert extensions <= {"abs-send-time"}
        assert media.rtcp_mux
        assert media.ice is not None
        assert media.ice.usernameFragment == read_offer(written(ALL[name])).ufrag
        assert media.dtls is not None
        assert media.dtls.fingerprints


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("H264/90000", "H265/90000", "H.264 or VP8; offered were: H265", id="codec"),
        pytest.param("opus/48000/2", "PCMU/8000", "Opus; offered were: PCMU", id="sound"),
        pytest.param("a=group:BUNDLE 0 1", "a=x", "must share one transport", id="no-bundle"),
        pytest.param("m=audio", "m=video", "One video and one audio", id="two-videos"),
        pytest.param("a=sendonly", "a=recvonly", "does not send (a=recvonly)", id="viewer"),
        pytest.param(
            "m=audio 52010 UDP/TLS/RTP/SAVPF 111", "m=application 9 UDP/DTLS/SCTP x",
            "Only audio and video", id="data-channel",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_what_to_change(old: str, new: str, said: str) -> None:
    assert old in OBS_30
    with pytest.raises(Unsupported) as refused:
        read_offer(written(OBS_30.replace(old, new)))
    assert said in refused.value.reason


def test_no_media_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="no media"):
        read_offer(written(OBS_30.partition("m=audio")[0]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "begin with v=0", id="empty"),
        pytest.param('{"sdp": "v=0"}', "begin with v=0", id="json"),
        pytest.param(OBS_30.replace("a=ice-ufrag:dCab\n", ""), "ICE credentials", id="no-ice"),
        pytest.param(OBS_30.replace("a=setup:actpass\n", ""), "fingerprint", id="no-dtls"),
        pytest.param(OBS_30.replace("a=rtpmap:96", "a=rtpmap:x"), "cannot be read", id="broken"),
        pytest.param(OBS_30 + "a=x\n" * MOST_LINES, "too many lines", id="endless"),
    ],
)
def test_a_broken_offer_is_told_what_is_broken(text: str, said: str) -> None:
    with pytest.raises(PeerError) as refused:
        read_offer(written(text))
    assert said in refused.value.reason
    assert not isinstance(refused.value, Unsupported)


@given(st.data())
def test_no_text_raises_anything_else(data: st.DataObject) -> None:
    lines = CHROME.splitlines()
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(
            st.one_of(
                st.text(max_size=30),
                st.sampled_from(lines),
                st.just(lines[at][: data.draw(st.integers(0, 12))]),
            )
        )
    try:
        offer = read_offer("\r\n".join(lines))
    except PeerError:
        return
    assert offer.tracks


FRAGMENT = """a=ice-ufrag:sXJ3
a=ice-pwd:yEclOTrLg1gEubBFefOqtmyV
m=audio 9 UDP/TLS/RTP/SAVPF 0
a=mid:0
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag sXJ3
a=candidate:3471623853 1 udp 2122194687 198.51.100.1 61765 typ srflx raddr 10.0.0.1 rport 4
a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0
a=candidate:473322823 1 udp 1518280447 abcd.local 61766 typ host
a=end-of-candidates
"""


def test_a_fragment() -> None:
    fragment = read_fragment(written(FRAGMENT))
    assert fragment.ufrag == "sXJ3"
    assert [each.ip for each in fragment.candidates] == ["192.0.2.1", "198.51.100.1"]
    assert fragment.ended


@pytest.mark.parametrize("text", ["", "hello", "a=candidate:1", "a=candidate:1 x udp 1 a 1 typ x"])
def test_a_broken_fragment(text: str) -> None:
    with pytest.raises(PeerError):
        read_fragment(text)


@given(st.text(max_size=200))
def test_no_fragment_raises_anything_else(text: str) -> None:
    for each in (text, f"a=candidate:{text}", f"a=ice-ufrag:x\r\n{text}"):
        try:
            read_fragment(each)
        except PeerError:
            continue
