"""Reading what a WHIP client sends: its offer, its candidates. Pure, with aiortc's SDP parser.

An offer is written anew with nothing in it but what we use, so that nothing else of it can have
an effect: Opus, H.264 of any profile, VP8, their retransmissions, one transport. The extension
that tells a phone's orientation is not taken, so senders turn the picture themselves.
Sources: RFC 9725 4.4, RFC 8840 (fragments), RFC 6184 8.1 (H.264 parameters).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aiortc import sdp
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.rtcrtpparameters import ParametersDict, RTCRtpCodecParameters

from ingest.address import is_address
from ingest.errors import PeerError
from ingest.unit import VideoCodec

MOST_LINES: Final = 1_500
MOST_CANDIDATES: Final = 64
"""Of one session: each is sent probes (RFC 8445 B.1 asks for such a limit)."""
VIDEO_CODECS: Final = {"vp8": VideoCodec.VP8, "h264": VideoCodec.H264}
SENDS: Final = "sendonly"
RECEIVES: Final = "recvonly"
"""What the offerer does with its tracks: a publisher (WHIP), one who looks on (WHEP)."""
_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_KNOWN_TO_AIORTC: Final[ParametersDict] = {
    "level-asymmetry-allowed": "1",
    "packetization-mode": "1",
    "profile-level-id": "42e01f",
}
_CANDIDATE: Final = re.compile(r"\S+ \d+ \S+ \d+ \S+ \d+ typ \S+.*")


class Unsupported(PeerError):
    """The offer is well made, but asks for what we cannot do."""


@dataclass(frozen=True, slots=True)
class OfferedTrack:
    kind: str
    mid: str
    codecs: tuple[RTCRtpCodecParameters, ...]
    """What both can do, as offered, in the offerer's order; retransmissions included."""

    @property
    def retransmits(self) -> dict[int, int]:
        """Give the payload types of retransmissions, and of what they carry."""
        found = {}
        for codec in self.codecs:
            apt = codec.parameters.get("apt")
            if codec.name.lower() == "rtx" and codec.payloadType is not None:
                found[codec.payloadType] = int(apt or 0)
        return found

    @property
    def video(self) -> dict[int, VideoCodec]:
        """Give the video codecs by payload type."""
        return {
            codec.payloadType: VIDEO_CODECS[codec.name.lower()]
            for codec in self.codecs
            if codec.payloadType is not None and codec.name.lower() in VIDEO_CODECS
        }


@dataclass(frozen=True, slots=True)
class Offer:
    text: str
    """The offer as aiortc gets it."""
    tracks: tuple[OfferedTrack, ...]
    ufrag: str
    candidates: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """An `application/trickle-ice-sdpfrag` body."""

    ufrag: str | None
    candidates: tuple[RTCIceCandidate, ...]
    ended: bool


def read_offer(text: str, direction: str = SENDS) -> Offer:
    """Read an SDP offer, of a sender or (RECEIVES) a receiver.

    Raises PeerError for a broken one, Unsupported for one we cannot take.
    """
    described = _parsed(text)
    media = described.media
    if not media:
        raise Unsupported("The offer has no media: it needs a video track, an audio track or both.")
    _check_shape(described, direction)
    carrier = media[0]
    if carrier.ice is None or not carrier.ice.usernameFragment or not carrier.ice.password:
        raise PeerError("The offer has no ICE credentials (a=ice-ufrag, a=ice-pwd).")
    if carrier.dtls is None or not carrier.dtls.fingerprints:
        raise PeerError("The offer has no DTLS fingerprint (a=fingerprint, a=setup).")
    tracks = tuple(_track(each) for each in media)
    carrier.ice_candidates = _usable([c for each in media for c in each.ice_candidates])
    return Offer(
        text=_written(described, tracks, direction),
        tracks=tracks,
        ufrag=carrier.ice.usernameFragment,
        candidates=len(carrier.ice_candidates),
    )


def read_fragment(text: str) -> Fragment:
    """Read an SDP fragment (RFC 8840 9). Raises PeerError."""
    ufrag: str | None = None
    candidates: list[RTCIceCandidate] = []
    ended = False
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise PeerError("The fragment has too many lines.")
    for line in lines:
        name, _, value = line.removeprefix("a=").partition(":")
        if line and line[:2] not in {"a=", "m="}:
            raise PeerError(f"The fragment has a line that is none of SDP: {line[:40]!r}")
        if name == "ice-ufrag":
            ufrag = value
        elif name == "candidate":
            candidates.append(_candidate(value))
        elif name == "end-of-candidates":
            ended = True
    if ufrag is None and not candidates and not ended:
        raise PeerError("The fragment has no candidates and no ICE credentials.")
    return Fragment(ufrag, tuple(_usable(candidates)), ended)


def _parsed(text: str) -> sdp.SessionDescription:
    if not text.startswith("v=0"):
        raise PeerError("The body is no SDP: it must begin with v=0.")
    if text.count("\n") > MOST_LINES:
        raise PeerError("The offer has too many lines.")
    try:
        return sdp.SessionDescription.parse(text)
    except Exception as error:  # aiortc's parser has no error of its own
        raise PeerError(f"The offer cannot be read as SDP ({type(error).__name__}).") from error


def _check_shape(described: sdp.SessionDescription, direction: str) -> None:
    """Hold the offer to one stream on one transport (RFC 9725 4.4.1, 4.4.2)."""
    kinds = [each.kind for each in described.media]
    if any(kind not in {"audio", "video"} for kind in kinds):
        raise Unsupported("Only audio and video can be taken; leave data channels out.")
    if len(set(kinds)) < len(kinds):
        raise Unsupported("One video and one audio track can be taken, no more.")
    bundled = {m for g in described.group if g.semantic == "BUNDLE" for m in g.items}
    if len(kinds) > 1 and not {each.rtp.muxId for each in described.media} <= bundled:
        raise Unsupported("The tracks must share one transport (a=group:BUNDLE).")
    for each in described.media:
        if each.direction not in {direction, "sendrecv", None}:
            does = "send" if direction == SENDS else "receive"
            raise Unsupported(f"The {each.kind} track does not {does} (a={each.direction}).")


def _track(media: sdp.MediaDescription) -> OfferedTrack:
    offered = media.rtp.codecs
    good = {"opus"} if media.kind == "audio" else set(VIDEO_CODECS)
    main = [codec for codec in offered if codec.name.lower() in good]
    if not main:
        names = ", ".join(dict.fromkeys(codec.name for codec in offered))[:100] or "none"
        wanted = "Opus" if media.kind == "audio" else "H.264 or VP8"
        raise Unsupported(f"The {media.kind} codec must be {wanted}; offered were: {names}.")
    types = {codec.payloadType for codec in main}
    kept = [
        codec
        for codec in offered
        if codec in main or (codec.name.lower() == "rtx" and codec.parameters.get("apt") in types)
    ]
    return OfferedTrack(media.kind, media.rtp.muxId, tuple(kept))


def _written(
    described: sdp.SessionDescription, tracks: tuple[OfferedTrack, ...], direction: str
) -> str:
    carrier = described.media[0]
    plain = sdp.SessionDescription()
    plain.origin = "- 1 1 IN IP4 0.0.0.0"
    mids: list[int | str] = [track.mid for track in tracks]
    plain.group = [sdp.GroupDescription("BUNDLE", mids)]
    for media, track in zip(described.media, tracks, strict=True):
        codecs = [_for_aiortc(codec) for codec in track.codecs]
        made = sdp.MediaDescription(
            track.kind, 9, "UDP/TLS/RTP/SAVPF", [codec.payloadType for codec in codecs]
        )
        made.direction = direction
        made.rtcp_port, made.rtcp_host, made.rtcp_mux = 9, "0.0.0.0", True  # noqa: S104 - SDP's
        made.rtp.codecs, made.rtp.muxId = codecs, track.mid
        made.rtp.headerExtensions = [
            extension
            for extension in media.rtp.headerExtensions
            if track.kind == "video" and extension.uri == _SEND_TIME
        ]
        made.ice, made.dtls = carrier.ice, carrier.dtls
        made.ice_candidates = carrier.ice_candidates if media is carrier else []
        plain.media.append(made)
    return str(plain)


def _for_aiortc(codec: RTCRtpCodecParameters) -> RTCRtpCodecParameters:
    """Name H.264 as aiortc knows it: we decode nothing, so any profile is as good."""
    parameters = _KNOWN_TO_AIORTC if codec.name.lower() == "h264" else codec.parameters
    return RTCRtpCodecParameters(
        mimeType=codec.mimeType,
        clockRate=codec.clockRate,
        channels=codec.channels,
        payloadType=codec.payloadType,
        rtcpFeedback=codec.rtcpFeedback,
        parameters=dict(parameters),
    )


def _candidate(value: str) -> RTCIceCandidate:
    if _CANDIDATE.fullmatch(value) is None:
        raise PeerError(f"The fragment has a broken candidate: {value[:60]!r}")
    try:
        return sdp.candidate_from_sdp(value)
    except (ValueError, AssertionError, IndexError) as error:
        raise PeerError(f"The fragment has a broken candidate: {value[:60]!r}") from error


def _usable(candidates: list[RTCIceCandidate]) -> list[RTCIceCandidate]:
    """Leave out what cannot be reached from here (RFC 9725 4.3.2: silently).

    Names under .local are a browser's hidden addresses: it finds us, and is then known.
    """
    good = [
        each
        for each in candidates
        if each.protocol.lower() == "udp"
        and each.type in {"host", "srflx", "relay"}
        and each.component == 1
        and 0 < each.port < 65_536
        and is_address(each.ip)
    ]
    return good[:MOST_CANDIDATES]
