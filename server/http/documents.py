"""The API's JSON as models: what is accepted, what is answered, what openapi.json says."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from overlay.scene import Corner, Motion
from server.channel import OverlayMode, PlaybackMode
from server.channels import MAX_KEEP_OLD_SECONDS
from server.http.documents_ingest import Ingest, Instant, Warned
from server.http.documents_playback import KEY
from server.shop.catalogue import Availability, Kind
from server.shop.timeline import Anchor

RTMPS = "The same over TLS; only where the server has it."


class Sent(BaseModel):
    """Something a client sends: a name we do not know is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", str_max_length=5_000)


class OverlaySent(Sent):
    mode: OverlayMode | None = None
    corner: Corner | None = None
    motion: Motion | None = None
    locale: str | None = Field(None, max_length=35, description="BCP 47.")


class SourceSent(Sent):
    url: str = Field(
        max_length=2_000,
        description="rtsp, rtsps, rtmp, rtmps, srt, http or https. As it was read, masked: keeps"
        " the password that is known.",
        examples=["rtsp://user:password@camera.example/stream"],
    )
    loop: bool = Field(False, description="Begin a file again at its end.")
    enabled: bool = True


class ChannelSent(Sent):
    id: str = Field(description="1 to 32 of a-z 0-9 -.", examples=["tea"])
    title: str = ""
    profile: str | None = None
    overlay: OverlaySent | None = None
    key_expires_at: Instant | None = Field(None, description="The stream key's; null: never.")
    playback: PlaybackMode = Field(
        PlaybackMode.PUBLIC, description="signed: viewers need a token; docs/playback.md."
    )
    source: SourceSent | None = Field(None, description="Where the server reads the picture from.")


class ChannelChange(Sent):
    """What is left out stays as it is."""

    title: str | None = Field(None, description="What viewers read; empty: the id.")
    playback: PlaybackMode | None = Field(
        None, description="signed: viewers need a token; docs/playback.md. The operator's to set."
    )

    @model_validator(mode="after")
    def _changes(self) -> Self:
        if self.title is None and self.playback is None:
            raise ValueError("names nothing to change: title, playback")
        return self


class RotateSent(Sent):
    expires_at: Instant | None = Field(None, description="The new key's; null: never.")
    keep_old_seconds: int = Field(
        0,
        ge=0,
        le=MAX_KEEP_OLD_SECONDS,
        description="For so long the old key still begins broadcasts, and none is cut.",
    )


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


class Source(BaseModel):
    url: str = Field(description="Password and query values masked.")
    loop: bool
    enabled: bool = Field(description="A file that has ended, or was stopped, is switched off.")
    state: Literal["off", "connecting", "on-air", "waiting", "standby"]
    problem: str | None = Field(description="Why it cannot be read.")


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
    playback: Literal["public", "signed"]
    warnings: list[Warned] = Field(description="Empty for the public.")
    rtmp_url: str | None = Field(description="Where to stream to; null for the public.")
    key_expires_at: Instant | None = Field(description="Null: never, and for the public.")
    source: Source | None = Field(description="What is pulled; null for the public.")
    rtmps_url: str = Field("", description=RTMPS)


class ChannelMade(BaseModel):
    """Key and token are shown this once."""

    id: str
    title: str
    stream_key: str
    anchor_token: str
    rtmp_url: str
    rtmps_url: str = Field("", description=RTMPS)
    watch_url: str
    playback_key: str = Field("", description=KEY)
    key_expires_at: Instant | None = Field(None, description="Only where the key expires.")


class ChannelChanged(BaseModel):
    id: str
    title: str
    playback: Literal["public", "signed"]
    playback_key: str = Field("", description=KEY)


class KeyMade(BaseModel):
    id: str
    stream_key: str
    rtmp_url: str
    key_expires_at: Instant | None = Field(None, description="Only where the key expires.")
    rtmps_url: str = Field("", description=RTMPS)


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
    price_then: Money | None = Field(None, description="What the card in the picture asks for.")
    sale_price_then: Money | None = None


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
