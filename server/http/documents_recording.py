"""The API's JSON of recordings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.http.documents_ingest import Instant


class HoldSent(BaseModel):
    """Puts a legal hold on a recording, or ends it."""

    model_config = ConfigDict(extra="forbid")

    hold: bool
    reason: str = Field(min_length=1, max_length=500, description="Kept in the log.")


class Hold(BaseModel):
    reason: str
    actor: str
    since: Instant


class Session(BaseModel):
    id: str
    channel: str
    title: str = Field(description="The channel's, when it was on the air.")
    state: Literal["live", "ended"]
    started_at: Instant
    ended_at: Instant | None
    duration_seconds: float = Field(description="What a replay plays; 0 until it has ended.")
    bytes: int
    gaps: int = Field(description="Segments that were not recorded.")
    hold: Hold | None = Field(
        None,
        description="While it stands nothing removes the recording. For those who run the channel.",
    )
    expires_at: Instant | None = Field(
        None,
        description="When it is removed by itself; null: never. For those who run the channel.",
    )
    uploaded: bool = Field(description="All of it is in the object store.")
    replay_url: str | None = Field(
        description="The multivariant playlist; null until it has ended."
    )


class Sessions(BaseModel):
    items: list[Session]
    next: str | None


class LogLine(BaseModel):
    seq: int
    at: Instant
    channel: str
    session: str
    deed: Literal["recorded", "held", "released", "removed"]
    actor: str
    reason: str


class RecordingLog(BaseModel):
    items: list[LogLine]
    next: int | None


class Usage(BaseModel):
    """Bytes all."""

    recordings: int
    bytes: int
    held: int
    held_bytes: int
    disk_free: int
    disk_total: int
    min_free: int
    recording: bool = Field(description="False: nothing new is recorded, by the configuration.")
    troubled: int = Field(description="Sessions that are not recorded just now.")
    uploading: bool
    upload_problem: str | None
