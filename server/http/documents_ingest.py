"""The API's JSON of a running ingest: what is measured of it, what the coach says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Instant = Annotated[
    str, Field(description="RFC 3339, UTC, milliseconds.", examples=["2026-01-02T03:04:05.678Z"])
]


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
