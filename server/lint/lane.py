"""One rendition's media: fragments against what the playlist says of them. Pure."""

from __future__ import annotations

from fractions import Fraction

from server.hls.bandwidth import peak_bit_rate
from server.lint.boxes import BoxError
from server.lint.ensemble import Ensemble
from server.lint.fragment import ID3_SCHEME, Chunk, TrackRun, read_chunk
from server.lint.init import Init, read_init
from server.lint.multivariant import Stream
from server.lint.notes import Notes
from server.lint.reader import PlaylistError, ReadPart, ReadSegment, seconds

MILLISECOND = Fraction(1, 1000)
MOST_ID3 = 1024
TICKS = 90_000
MOST_SPANS = 2000
BANDWIDTH_SHARE = 1.1


class Lane:
    """Takes one rendition's fetched media in order, and remembers little of it."""

    def __init__(self, name: str, stream: Stream | None, notes: Notes, ensemble: Ensemble) -> None:
        self.name = name
        self.stream = stream
        self._notes = notes
        self._ensemble = ensemble
        self._inits: dict[str, Init | None] = {}
        self._ends: dict[int, Fraction] = {}
        self._last: tuple[str | None, int, int] | None = None
        """Map, msn and index of the part before."""
        self._sizes: dict[int, list[int]] = {}
        self._spans: dict[int, tuple[int, int]] = {}
        self._frames = 0
        """Pictures seen."""
        self._shown = Fraction(0)
        """Seconds that they last."""

    def knows(self, map_uri: str) -> bool:
        return map_uri in self._inits

    def init(self, map_uri: str, body: bytes) -> None:
        """Take an initialization section."""
        try:
            init = read_init(body)
        except BoxError as error:
            self._notes.broke(18, f"an initialization section: {error}", f"{self.name}, {map_uri}")
            self._inits[map_uri] = None
            return
        self._inits[map_uri] = init
        self._notes.check(18, "initialization sections", True)
        if self.stream is not None and self.stream.variant:
            self._tracks(self.stream, init)

    def part(self, segment: ReadSegment, index: int, told: ReadPart, body: bytes) -> None:
        """Take a part, in order, though some may be missing."""
        where = f"{self.name}, part {segment.msn}.{index}"
        chunk = self._chunk(segment.map_uri, body, where)
        if chunk is None or chunk.main is None:
            return
        main = chunk.main
        what = f"{chunk.fragments} pairs of moof and mdat in a part"
        self._notes.check(18, "parts", chunk.fragments == 1, what, where)
        error = abs(main.duration - told.duration)
        what = f"DURATION is {float(error) * 1000:.1f} ms off the samples"
        self._notes.check(13, "parts", error <= MILLISECOND, what, where)
        self._continues(segment, index, chunk, where)
        self._independence(index, told, main, where)
        self._events(chunk, where)
        if index == 0:
            self._ensemble.begin(self.name, segment.msn, main.begin)
            self._sizes[segment.msn] = []
        sizes = self._sizes.get(segment.msn)
        if sizes is not None and len(sizes) == index:
            sizes.append(len(body))
        if main.track.video:
            self._frames += main.count
            self._shown += main.duration

    def whole(self, segment: ReadSegment) -> None:
        """Note that a segment is whole: its bytes are known if all its parts were taken."""
        sizes = self._sizes.pop(segment.msn, None)
        if sizes and len(sizes) == len(segment.parts) and segment.duration:
            self._spans[segment.msn] = sum(sizes), round(segment.duration * TICKS)
            if len(self._spans) > MOST_SPANS:
                del self._spans[next(iter(self._spans))]

    def segment(self, segment: ReadSegment, body: bytes, parts: list[bytes]) -> None:
        """Take a whole segment, with the bodies of all its parts if they are known."""
        where = f"{self.name}, segment {segment.msn}"
        chunk = self._chunk(segment.map_uri, body, where)
        if chunk is None or chunk.main is None:
            return
        error = abs(chunk.main.duration - (segment.duration or Fraction(0)))
        what = f"EXTINF is {float(error) * 1000:.1f} ms off the samples"
        self._notes.check(13, "segments", error <= MILLISECOND, what, where)
        self._opens(chunk.main, where)
        if parts:
            same = b"".join(parts) == body
            what = "a segment is not its parts in a row"
            self._notes.check(18, "segments against their parts", same, what, where)
        for run in chunk.runs:
            if not run.track.video:
                self._ensemble.sound(self.name, segment.msn, run.digest)

    def close(self, stream: Stream | None, listed: tuple[int, int], target: int) -> None:
        """Hold what was measured against what the newest multivariant playlist says.

        `listed` are the first and the last segment listed now, `target` is the target duration.
        """
        if stream is None or not stream.variant:
            return
        tags = stream.tags
        rate = _decimal(tags.get("FRAME-RATE", ""))
        if self._frames > 10 and self._shown and rate:
            measured = float(self._frames / self._shown)
            what = f"FRAME-RATE is {float(rate):.3f}, measured are {measured:.3f}"
            good = measured <= float(rate) * 1.02 + 0.01
            self._notes.check(14, "frame rates", good, what, self.name)
        self._bandwidth(int(_decimal(tags.get("BANDWIDTH", ""))), listed, target)

    def _bandwidth(self, told: int, listed: tuple[int, int], target: int) -> None:
        numbers = sorted(msn for msn in self._spans if listed[0] <= msn <= listed[1])
        spans = [self._spans[msn] for msn in numbers]
        if len(spans) < 3:
            return
        peak = peak_bit_rate(spans, target * TICKS) or 0
        where = f"{self.name}: {told}, measured {peak} in {len(spans)} segments"
        good = peak <= told * BANDWIDTH_SHARE
        self._notes.check(14, "bandwidths", good, "BANDWIDTH is below the measured peak", where)
        if numbers == list(range(listed[0], listed[1] + 1)):
            good = told <= peak * BANDWIDTH_SHARE
            what = "BANDWIDTH is over the measured peak by more than 10 %"
            self._notes.check(14, "bandwidths", good, what, where)

    def _chunk(self, map_uri: str | None, body: bytes, where: str) -> Chunk | None:
        init = self._inits.get(map_uri or "")
        if init is None:
            return None
        try:
            return read_chunk(body, init)
        except BoxError as error:
            self._notes.broke(18, f"a fragment: {error}", where)
            return None

    def _continues(self, segment: ReadSegment, index: int, chunk: Chunk, where: str) -> None:
        """Judge whether each track goes on where the part before ended."""
        last, self._last = self._last, (segment.map_uri, segment.msn, index)
        following = last is not None and last[0] == segment.map_uri
        if last is not None and following:
            following = (segment.msn, index) in ((last[1], last[2] + 1), (last[1] + 1, 0))
        if not following or (index == 0 and segment.discontinuity):
            self._ends.clear()
        for run in chunk.runs:
            expected = self._ends.get(run.track.id)
            self._ends[run.track.id] = run.end
            if expected is not None:
                off = abs(run.begin - expected)
                what = f"tfdt jumps by {float(off) * 1000:.1f} ms"
                self._notes.check(13, "fragments", off <= MILLISECOND, what, where)

    def _independence(self, index: int, told: ReadPart, main: TrackRun, where: str) -> None:
        if not main.track.video:
            return
        if index == 0:
            self._opens(main, where)
        what = "INDEPENDENT=YES on a part that does not begin with an IDR"
        self._notes.check(11, "parts", not told.independent or main.opens, what, where)
        what = "a part begins with an IDR and is not INDEPENDENT=YES"
        self._notes.check(11, "parts", told.independent or not main.opens, what, where)

    def _opens(self, main: TrackRun, where: str) -> None:
        if main.track.video:
            what = "a segment does not begin with an IDR"
            self._notes.check(11, "segment starts", main.opens, what, where)

    def _events(self, chunk: Chunk, where: str) -> None:
        for event in chunk.events:
            if event.scheme != ID3_SCHEME:
                continue
            version = f"emsg of version {event.version}"
            self._notes.check(17, "events", event.version == 1, version, where)
            what = f"an ID3 of {event.size} bytes"
            self._notes.check(17, "events", event.size <= MOST_ID3, what, where)
            main = chunk.main
            if event.time is not None and main is not None:
                within = main.begin - 1 <= event.time <= main.end + 1
                what = "an event's time is not within its fragment"
                self._notes.check(17, "event times", within, what, where)

    def _tracks(self, stream: Stream, init: Init) -> None:
        """Hold CODECS and RESOLUTION against the initialization section."""
        told = [each.strip() for each in stream.tags.get("CODECS", "").split(",")]
        for track in init.tracks:
            exact = "." in track.codec
            named = any(
                each.lower() == track.codec.lower() if exact else each.startswith(track.codec)
                for each in told
            )
            what = f"CODECS does not name {track.codec}"
            self._notes.check(14, "codecs", named, what, self.name)
            if track.video:
                size = (track.width, track.height)
                what = f"RESOLUTION is not {size[0]}x{size[1]}"
                self._notes.check(14, "resolutions", stream.size == size, what, self.name)


def _decimal(text: str) -> Fraction:
    """Read a number that an attribute tells; 0 where there is none."""
    try:
        return seconds(text)
    except PlaylistError:
        return Fraction(0)
