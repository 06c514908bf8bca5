"""Whether an MP4's index is at its end, told by its beginning."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest

from transcode.pull.boxes import HEAD_BYTES, is_index_last

FTYP = struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 512, b"isom")
FREE = struct.pack(">I4s", 8, b"free")
MDAT = struct.pack(">I4s", 1 << 20, b"mdat")
LARGE = struct.pack(">I4sQ", 1, b"mdat", 1 << 40)


def made(path: Path, **options: str) -> bytes:
    with av.open(str(path), "w", format="mp4", options=options) as output:
        stream = output.add_stream("libx264", 30, width=64, height=48, pix_fmt="yuv420p")
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        output.mux(stream.encode(None))
    return path.read_bytes()[:HEAD_BYTES]


@pytest.mark.parametrize("head", [FTYP + MDAT, FTYP + FREE + LARGE, MDAT])
def test_media_before_the_index(head: bytes) -> None:
    assert is_index_last(head)
    assert is_index_last(head + bytes(100))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        FTYP,
        FTYP + FREE,
        FTYP + struct.pack(">I4s", 99, b"moov") + MDAT,
        FTYP + struct.pack(">I4s", 99, b"moof") + MDAT,
        FTYP + struct.pack(">I4s", 3, b"free") + MDAT,
        FTYP + struct.pack(">I4s", 0, b"free") + MDAT,
        FTYP + struct.pack(">I4s", 1, b"free"),
        b"<!doctype html>mdat",
    ],
)
def test_all_else_is_not(head: bytes) -> None:
    assert not is_index_last(head)
    for size in range(len(head)):
        assert not is_index_last(head[:size])


def test_as_libav_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    assert is_index_last(made(path))
    assert not is_index_last(made(path, movflags="+faststart"))
    assert not is_index_last(made(path, movflags="+frag_keyframe+empty_moov"))
