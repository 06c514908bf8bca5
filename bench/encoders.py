"""Encoders that send one ready-made broadcast of 4 Mbit/s over RTMP, one or many at once.

    python -m bench.encoders SECONDS URL...

A process of its own. Each connection has OBS's manners: chunks of 4096 bytes, one chunk stream,
type 1 headers; one write for each picture and each frame of sound, when it is due. The clip is
encoded before, so that an encoder's work is none of what is measured, and goes round for ever.
Tells SENDING once all are on the air, with two times of the first one: when it began to connect,
and when its first picture was due, in UTC milliseconds. Imports PyAV and NumPy.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import av
import uvloop

from bench.camera import AAC_FRAME, FRAME_RATE, HEIGHT, SAMPLE_RATE, WIDTH, Camera, tone
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.message import MessageType, SetChunkSize
from tests.helpers.rtmp_publisher import OBS, RtmpPublisher

SENDING = "sending"
CLIP_SECONDS = 16
"""A whole number of pictures, and of frames of sound. A picture's stamp tells its place in it."""
VIDEO_BITRATE, AUDIO_BITRATE = 3_840_000, 160_000
MOST_HELD = 1 << 20
"""Bytes that a server may leave unread before it has fallen behind."""
_STREAM_ID = 1
"""What servers give to the first createStream."""
_TAG_HEADER, _TAG_TRAILER, _FILE_HEADER = 11, 4, 13


@dataclass(frozen=True, slots=True)
class Tag:
    """An FLV tag."""

    at_ms: int
    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A message in chunks, and when it is due, in seconds of the clip."""

    at: float
    data: bytes


def clip() -> bytes:
    """Encode the broadcast as an FLV file: 720p30 at a constant bit rate, and a tone."""
    file = io.BytesIO()
    with av.open(file, "w", format="flv", options={"flvflags": "no_duration_filesize"}) as output:
        rate = {"nal-hrd": "cbr", "preset": "ultrafast", "tune": "zerolatency"}
        limits = {"maxrate": str(VIDEO_BITRATE), "bufsize": str(VIDEO_BITRATE // 2)}
        video = output.add_stream("libx264", rate=FRAME_RATE, options={**rate, **limits})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.bit_rate = VIDEO_BITRATE
        video.codec_context.gop_size = 2 * FRAME_RATE
        audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        audio.bit_rate = AUDIO_BITRATE
        camera, samples = Camera(), 0
        for number in range(CLIP_SECONDS * FRAME_RATE):
            output.mux(video.encode(camera.take(number)))
            while samples * FRAME_RATE < (number + 1) * SAMPLE_RATE:
                output.mux(audio.encode(tone(samples)))
                samples += AAC_FRAME
        output.mux(video.encode(None))
    return file.getvalue()


def tags(flv: bytes) -> list[Tag]:
    """Cut an FLV file into its tags."""
    found: list[Tag] = []
    at = _FILE_HEADER
    while at + _TAG_HEADER <= len(flv):
        size = int.from_bytes(flv[at + 1 : at + 4], "big")
        stamp = flv[at + 7] << 24 | int.from_bytes(flv[at + 4 : at + 7], "big")
        start = at + _TAG_HEADER
        found.append(Tag(stamp, flv[at], flv[start : start + size]))
        at = start + size + _TAG_TRAILER
    return found


def rounds(flv: bytes) -> tuple[list[Piece], list[Piece]]:
    """Write the clip in chunks: its first round, and the one that every other is."""
    found = tags(flv)
    media = [tag for tag in found if tag.kind != MessageType.DATA and tag.body[1] == 1]
    heads = [tag for tag in found if tag.kind == MessageType.DATA or tag.body[1] == 0]
    out = ChunkWriter(repeat_extended=OBS.repeat_extended)
    out.write(SetChunkSize(OBS.chunk_size).raw())
    first = [_piece(out, tag, 0, HeaderType.FULL) for tag in heads]
    first += [_piece(out, tag, 0, HeaderType.SAME_STREAM) for tag in media]
    length = CLIP_SECONDS * 1000
    return first, [_piece(out, tag, length, HeaderType.SAME_STREAM) for tag in media]


def _piece(out: ChunkWriter, tag: Tag, shift_ms: int, kind: HeaderType) -> Piece:
    raw = RawMessage(OBS.video_csid, tag.kind, _STREAM_ID, tag.at_ms + shift_ms, tag.body)
    return Piece(tag.at_ms / 1000, out.write(raw, kind))


async def send(urls: list[str], seconds: float) -> None:
    """Broadcast to every URL for so long. Raises ConnectionError when one is lost."""
    clips = rounds(await asyncio.to_thread(clip))
    async with asyncio.TaskGroup() as group:
        connecting = time.time()

        async def start(number: int) -> tuple[float, asyncio.Task[None]]:
            publisher = await _publish(urls[number])
            # Encoders do not start together: their pictures are spread over a period.
            began = time.monotonic() + number / len(urls) / FRAME_RATE
            return began, group.create_task(_broadcast(publisher, began, *clips))

        broadcasts = await asyncio.gather(*(start(number) for number in range(len(urls))))
        due = time.time() + broadcasts[0][0] - time.monotonic()
        print(SENDING, round(connecting * 1_000), round(due * 1_000), flush=True)
        await asyncio.sleep(seconds)
        for _, broadcast in broadcasts:
            broadcast.cancel()


async def _publish(url: str) -> RtmpPublisher:
    parts = urlsplit(url)
    app, _, key = parts.path.strip("/").partition("/")
    publisher = await RtmpPublisher.connect(parts.port or 1935)
    status = await publisher.publish(key, app)
    if status["code"] != "NetStream.Publish.Start":
        raise ConnectionError(f"refused: {status}")
    return publisher


async def _broadcast(
    publisher: RtmpPublisher, began: float, first: list[Piece], again: list[Piece]
) -> None:
    pieces = first
    try:
        while True:
            for piece in pieces:
                await asyncio.sleep(began + piece.at - time.monotonic())
                publisher.send_bytes(piece.data)
                if publisher.unsent > MOST_HELD:
                    raise ConnectionError("the server reads too slowly")
            began, pieces = began + CLIP_SECONDS, again
    finally:
        publisher.abort()


def main() -> int:
    """Broadcast until the time is over or a server hangs up."""
    try:
        uvloop.run(send(sys.argv[2:], float(sys.argv[1])))
    except (ConnectionError, ExceptionGroup) as error:
        sys.stderr.write(f"encoders: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
