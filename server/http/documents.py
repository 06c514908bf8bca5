"""The API's JSON as models: what is accepted, what is answered, what openapi.json says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from overlay.scene import Corner, Motion
from server.channel import OverlayMode
from server.shop.catalogue import Availability, Kind
from server.shop.timeline import Anchor

Instant = Annotated[
    str, Field(description="RFC 3339, UTC, milliseconds.", examples=["2026-01-02T03:04:05.678Z"])
]


class Sent(BaseModel):
    """Something a client sends: a name we do not know is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", str_max_length=5_000)


class OverlaySent(Sent):
    mode: OverlayMode | None = None
    corner: Corner | None = None
    motion: Motion | None = None
    locale: str | None = Field(None, max_length=35, description="BCP 47.")


class ChannelSent(Sent):
    id: str = Field(description="1 to 32 of a-z 0-9 -.", examples=["tea"])
    title: str = ""
    profile: str | None = None
    overlay: OverlaySent | None = None


class PinSent(Sent):
    product_id: str = Field(min_length=1, max_length=64)
    anchor: Anchor = Anchor.NOW
    t_media: Instant | None = Field(None, description="Needed for the anchors `seen` and `at`.")


class Money(BaseModel):
    amount: int = Field(description="Minor units.", examples=[1290])
    currency: str = Field(description="ISO 4217.", examples=["EUR"])


class ProductSent(BaseModel):
    """`image` may be an http(s) URL, one stored here, or a data: URL of a JPEG, PNG or WebP."""

    title: str
    price: Money
    sale_price: Money | None = None
    description: str = ""
    brand: str = ""
    availability: Availability = Availability.IN_STOCK
    stock: int | None = None
    image: str = ""
    images: list[str] = []
    link: str = ""
    kind: Kind = Kind.GOODS
    attributes: dict[str, str] = {}


class Product(ProductSent):
    id: str
    revision: int


class History(BaseModel):
    """The last minute, a number for each whole second, oldest first."""

    bitrate: list[int] = Field(description="bit/s")
    fps: list[int] = Field(description="Pictures that arrived.")


class Ingest(BaseModel):
    """What is measured of the publisher. Absent: not known yet. Empty for the public."""

    protocol: str | None = Field(None, description="`rtmp`, `whip`, ...")
    peer: str | None = Field(None, description="Address of the encoder.")
    encoder: str | None = Field(None, description="As it names itself.")
    bitrate: int | None = Field(None, description="bit/s, of all that arrives; a mean over 4 s.")
    bytes: int | None = Field(None, description="Since this publisher came.")
    video: str | None = Field(None, description="Codec.")
    audio: str | None = Field(None, description="Codec.")
    sample_rate: int | None = Field(None, description="Hz")
    channels: int | None = None
    worker_restarts: int | None = Field(None, description="The server's transcoder died so often.")
    dropped: int | None = Field(None, description="Pictures the server was too slow to take.")
    late: float | None = Field(
        None, description="Seconds that the stream comes later than at its quickest, of a minute."
    )
    since_picture: float | None = Field(None, description="Seconds since the newest arrived.")
    since_sound: float | None = Field(None, description="Seconds since the newest arrived.")
    history: History | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = Field(None, description="Pictures that arrived in the last second.")
    nominal_fps: float | None = Field(None, description="What is encoded.")
    source_fps: float | None = Field(None, description="By the publisher's timestamps.")
    codec: str | None = Field(None, description="With profile and level.")
    pixel_format: str | None = None
    video_bitrate: int | None = None
    keyframe_interval: float | None = Field(
        None, description="Seconds: the last one, or the one running when that is longer."
    )
    keyframe_longest: float | None = Field(None, description="Of the last four.")
    keyframe_shortest: float | None = Field(None, description="Of the last four; 0: unknown.")
    b_frames: bool | None = None
    black: bool | None = None
    bars: float | None = Field(None, description="Share of the picture that is black bars.")
    frozen_seconds: float | None = Field(None, description="The picture has not changed for.")
    audio_bitrate: int | None = None
    level: float | None = Field(None, description="Root mean square, dBFS; -120: nothing.")
    peak_left: float | None = Field(None, description="dBFS")
    peak_right: float | None = Field(None, description="dBFS")
    clipped: float | None = Field(None, description="Share of samples at full scale.")
    av_offset: float | None = Field(
        None, description="Seconds that the sound's stamps are ahead of the picture's."
    )
    start_offset: float | None = Field(
        None, description="Seconds that the sound began later than the picture."
    )
    frames: int | None = Field(None, description="Encoded, repeats included.")
    frames_repeated: int | None = Field(None, description="Shown again to fill holes.")
    frames_dropped: int | None = Field(None, description="Left out: early, late or too many.")
    frames_damaged: int | None = Field(None, description="Not decodable, sounds included.")
    frames_lost: int | None = Field(None, description="Left out by the encoder, by its stamps.")
    timestamp_jumps: int | None = None
    queue: int | None = Field(None, description="Pictures waiting at the slowest encoder.")
    speed: float | None = Field(None, description="Of encoding, in times real time.")


class Warned(BaseModel):
    """A warning of the ingest coach; docs/coach.md lists the codes."""

    code: str = Field(examples=["keyframe-interval"])
    severity: Literal["info", "warning", "error"]
    message: str
    advice: str
    since: Instant


class Channel(BaseModel):
    id: str
    title: str
    state: Literal["offline", "live", "interrupted"]
    session: str | None
    started_at: Instant | None
    viewers: int
    ingest: Ingest
    renditions: list[dict[str, object]]
    profile: str
    overlay: dict[str, str]
    warnings: list[Warned] = Field(description="Empty for the public.")
    rtmp_url: str | None = Field(description="Where to stream to; null for the public.")


class ChannelMade(BaseModel):
    """Key and token are shown this once."""

    id: str
    title: str
    stream_key: str
    anchor_token: str
    rtmp_url: str
    watch_url: str


class KeyMade(BaseModel):
    id: str
    stream_key: str
    rtmp_url: str


class Rejected(BaseModel):
    line: int
    reason: str


class Imported(BaseModel):
    imported: int
    updated: int
    unchanged: int
    rejected: list[Rejected]


class Rect(BaseModel):
    x: float
    y: float
    width: float
    height: float


class Pin(BaseModel):
    id: str
    product_id: str
    revision: int
    t_media: Instant
    start: Instant
    end: Instant | None
    late: bool
    slot: int
    exact: bool = Field(description="`start` is the frame drawn first, not an expectation.")
    rect: Rect | None


class Interval(Pin):
    """A pin with its product as it is now."""

    product: Product | None = None


class Timeline(BaseModel):
    session: str | None
    started_at: Instant | None
    ended_at: Instant | None
    seq: int
    cursor: int = Field(description="Events behind it (`events?after=`) are not in here.")
    intervals: list[Interval]
    events: list[dict[str, object]]


class ViewerMade(BaseModel):
    viewer: str
    token: str


class Channels(BaseModel):
    items: list[Channel]
    next: str | None


class Products(BaseModel):
    items: list[Product]
    next: str | None


class Pins(BaseModel):
    items: list[Pin]
    next: str | None


class Rung(BaseModel):
    short_side: int
    bitrate: int


class Profile(BaseModel):
    name: str
    rungs: list[Rung]
    part_seconds: float
    segment_seconds: float
    encoder: str
    preset: str
    options: dict[str, str]
    audio_bitrate: int
    max_frame_rate: float


class Profiles(BaseModel):
    items: list[Profile]
    next: str | None


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
