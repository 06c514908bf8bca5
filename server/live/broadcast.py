"""What a stream is begun with. Values, and ports of others."""

from __future__ import annotations

from dataclasses import dataclass

from server.channel import Sequences
from server.hls.archive import Archive, Scribe
from server.hls.edge import Edge
from server.hls.recall import Recalled
from transcode.profile import Profile


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What a stream is begun with."""

    channel: str
    title: str
    """The channel's when the broadcast began, for the slate."""
    session: str
    profile: Profile
    carry: Sequences
    """Where the channel's sequences go on."""
    segments: int = 15
    """Whole segments that memory keeps for the playlist."""
    dvr_seconds: int = 0
    """How long the playlist may be with what the archive holds."""
    archive: Archive | None = None
    """Gives back what memory let go; None: the playlist is as long as memory keeps it."""
    scribe: Scribe | None = None
    """Writes down what is published; None: nobody does."""
    id3: bool = False
    """Whether date ranges are in the media as well."""
    recalled: Recalled | None = None
    """The list that a stopped server left, to go on with."""
    before: Edge | None = None
    """Of the channel's broadcast before, whose media is still owed."""
    grace: float = 0.0
    """Seconds that a lost publisher has to come back; 0: its loss ends the broadcast."""
    slate: bool = False
    """Whether a still picture stands in for a lost publisher; else gaps do."""
    started_ms: int | None = None
    """PDT of the first picture of a session that a stopped server left open."""
