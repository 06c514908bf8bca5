"""The API's JSON of who may watch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from server.channels import MAX_KEEP_OLD_SECONDS
from server.http.documents_ingest import Instant
from server.playback.keys import MOST_SECONDS

KEY = "Signs playback tokens; shown this once, where it was just made."


class PlaybackRotateSent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keep_old_seconds: int = Field(
        0,
        ge=0,
        le=MAX_KEEP_OLD_SECONDS,
        description="For so long tokens under the old key are good still.",
    )


class PlaybackKeyMade(BaseModel):
    id: str
    playback_key: str


class TokenSent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: int = Field(7_200, ge=1, le=MOST_SECONDS, description="How long it is good.")
    wait_seconds: int = Field(0, ge=0, le=MOST_SECONDS, description="From when on it is good.")
    session: str = Field(
        "", max_length=40, description="This session only: one on the air, or recorded."
    )
    viewer: str = Field("", max_length=64, description="Whom it is made out to.")


class TokenMade(BaseModel):
    token: str
    expires_at: Instant
    hls_url: str
    watch_url: str
    embed_url: str = Field(description="Empty for a recording, which is not embedded.")
