"""What is said of a source that cannot be read; each goes on from "The source: ". Pure."""

from __future__ import annotations

from typing import Final

LOST: Final = "the connection was lost"
SILENT: Final = "it went silent"
NO_MEDIA: Final = "it is nothing that can be read as media"
INDEX_LAST: Final = (
    "the file's index (moov) is at its end, and its server gives no parts of files (HTTP ranges);"
    " remux it with ffmpeg -i IN -c copy -movflags +faststart OUT, or use a server with ranges"
)
REFUSED: Final = {
    401: "it asks for a user and password, or those in its address are wrong",
    403: "its server forbids it (403)",
    404: "there is nothing at its address (404)",
}
"""By HTTP's and RTSP's status."""
