"""How each kind of source is opened, so that libav itself reaches nothing but what we opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from transcode.errors import PullError
from transcode.pull.demux import Way
from transcode.pull.dial import Dialer
from transcode.pull.fetch import Fetched, Nested
from transcode.pull.place import Place
from transcode.pull.relay import Relay
from transcode.pull.srt_file import SrtFile
from transcode.pull.words import INDEX_LAST, NO_MEDIA, SILENT

_HLS = {"http_persistent": "0", "http_multiple": "0"}
"""Both reach behind the custom I/O into libav's own HTTP, which is not there."""


@contextmanager
def way_to(place: Place, dialer: Dialer) -> Iterator[Way]:
    """Connect to a place; give how libav is to read it. Raises PullError.

    What went wrong on a connection of ours is raised at the end, in the place of what libav
    made of it.
    """
    if place.scheme in ("http", "https"):
        with closing(Fetched(dialer, place)) as file:
            try:
                yield Way(file, io_open=Nested(dialer), options=_HLS, sized=file.size is not None)
            except PullError as error:
                if str(error) in (NO_MEDIA, SILENT) and file.hides_its_index:
                    raise PullError(INDEX_LAST) from error
                raise
        return
    if place.scheme == "srt":
        with closing(SrtFile(dialer, place)) as stream:
            yield Way(stream, "mpegts")
        return
    with Relay(dialer, place) as relay:
        try:
            yield _behind(relay.place, place)
        except PullError as error:
            raise relay.failure or error from error


def _behind(local: Place, place: Place) -> Way:
    if local.scheme == "rtsp":
        # Over UDP the server says where to send to, and the media comes past the relay.
        return Way(local.url, "rtsp", "rtsp,tcp", {"rtsp_transport": "tcp"})
    options = {"rtmp_live": "live", "rtmp_tcurl": tc_url(place)}
    return Way(local.url, "flv", "rtmp,tcp", options)


def tc_url(place: Place) -> str:
    """Give RTMP's `tcUrl` of a place: server and application, as the source knows itself.

    The application is the path's first part, or its first two where there are three, as
    libav and encoders split it.
    """
    parts = place.path.strip("/").split("/")
    app = "/".join(parts[:2] if len(parts) > 2 else parts[:1])
    return f"{place.scheme}://{place.authority}/{app}"
