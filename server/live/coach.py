"""Figures become named warnings, each with what to do; calm ones, that do not flicker.

Pure; time is an argument. The rules are `server.live.rules`; docs/coach.md has their table.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from ingest.unit import AudioConfig, VideoCodec
from server.live.pace import Beat
from transcode.message import Health

REMEMBERED = 61
"""Sights: a minute of one a second."""


class Severity(StrEnum):
    INFO = "info"
    """Worth knowing; nothing is wrong."""
    WARNING = "warning"
    """Viewers see or hear it, or soon will."""
    ERROR = "error"
    """There is nothing to see, or no end to it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning that stands."""

    code: str
    """Stable, for programs."""
    severity: Severity
    message: str
    """What is the matter, with its figures; they move while it stands."""
    advice: str
    """What to do, with the menu's path in OBS where it is OBS that must change."""
    since_ms: int
    """When it began, UTC ms."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a broadcast at one instant."""

    connected: bool = True
    """A publisher feeds it; while none does, nothing is judged."""
    waited_ms: int = 0
    """Since the publisher came."""
    started: bool = True
    """A picture has been encoded."""
    health: Health | None = None
    beat: Beat = field(default_factory=Beat)
    announced_fps: float = 0.0
    """As the encoder says of itself; 0 when it does not."""
    bitrate: int = 0
    late_ms: int = 0
    burst_ms: int = 0
    video: VideoCodec | None = None
    audio: AudioConfig | None = None
    picture_age_ms: int | None = None
    sound_age_ms: int | None = None
    """Since the newest arrived; None before the first."""
    largest_rung: int = 720
    """Short side of the largest picture that is made."""
    restarts: int = 0
    last_words: str = ""
    """Of the worker that died last."""
    unfed: int = 0
    """Pictures not given to the worker because it was behind, since the start."""
    takeovers: int = 0
    """By an encoder from one that was still there, since the start."""
    problems: tuple[str, ...] = ()
    """Why cards are missing in the picture."""

    @property
    def counters(self) -> dict[str, int]:
        """Give what only grows, until a worker or a publisher begins anew."""
        counters = {
            "lost": self.beat.lost,
            "unfed": self.unfed,
            "restarts": self.restarts,
            "takeovers": self.takeovers,
        }
        if self.health is not None:
            counters |= {
                "pictures": self.health.frames,
                "jumps": self.health.jumps,
                "damaged": self.health.damaged,
            }
        return counters


class Trend:
    """How counters grew over the last minute."""

    def __init__(self) -> None:
        self._past: deque[tuple[int, dict[str, int]]] = deque(maxlen=REMEMBERED)

    def add(self, counters: dict[str, int], now_ms: int) -> None:
        """Note counters; one that is not told now stands where it stood."""
        before = self._past[-1][1] if self._past else {}
        self._past.append((now_ms, before | counters))

    def grown(self, name: str, seconds: int) -> int:
        """Give by how much `name` grew in the last `seconds`; a fall is a beginning anew."""
        if not self._past:
            return 0
        since = self._past[-1][0] - seconds * 1_000
        values = [known[name] for at, known in self._past if at >= since and name in known]
        return sum(
            after - before if after >= before else after for before, after in pairwise(values)
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One named warning: when it is due, and for how long it must hold to come and to go."""

    code: str
    severity: Severity
    judge: Callable[[Sight, Trend], Finding | None]
    comes: float = 3.0
    """Seconds that it holds before it is told."""
    goes: float = 5.0
    """Seconds that all is well before it is taken back."""


@dataclass(slots=True)
class _Stand:
    """Where one rule stands."""

    bad_since: int | None = None
    good_since: int | None = None
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one look changed."""

    raised: tuple[Notice, ...] = ()
    cleared: tuple[Notice, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.raised or self.cleared)


@dataclass(slots=True)
class Coach:
    """Watches one broadcast. Give it a look about once a second."""

    rules: Sequence[Rule]
    notices: tuple[Notice, ...] = ()
    """What stands now: errors first, then in the rules' order."""
    _trend: Trend = field(default_factory=Trend)
    _stands: dict[str, _Stand] = field(default_factory=dict)

    def look(self, sight: Sight, now_ms: int) -> Change:
        """Judge what is seen at `now_ms` (UTC); give what came and what went."""
        if not sight.connected:
            self._stands = {code: _Stand(notice=s.notice) for code, s in self._stands.items()}
            return Change()  # for how long a thing held is counted anew when one is back
        self._trend.add(sight.counters, now_ms)
        before = {notice.code: notice for notice in self.notices}
        found: list[Notice] = []
        for rule in self.rules:
            stand = self._stands.setdefault(rule.code, _Stand())
            _settle(stand, rule, rule.judge(sight, self._trend), now_ms)
            if stand.notice is not None:
                found.append(stand.notice)
        self.notices = tuple(sorted(found, key=lambda notice: _ORDER[notice.severity]))
        after = {notice.code for notice in found}
        return Change(
            tuple(notice for notice in self.notices if notice.code not in before),
            tuple(notice for code, notice in before.items() if code not in after),
        )


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def _settle(stand: _Stand, rule: Rule, finding: Finding | None, now_ms: int) -> None:
    if finding is None:
        stand.bad_since = None
        if stand.good_since is None:
            stand.good_since = now_ms
        if now_ms - stand.good_since >= rule.goes * 1_000:
            stand.notice = None
        return
    stand.good_since = None
    if stand.bad_since is None:
        stand.bad_since = now_ms
    since = stand.bad_since if stand.notice is None else stand.notice.since_ms
    if stand.notice is not None or now_ms - since >= rule.comes * 1_000:
        stand.notice = Notice(rule.code, rule.severity, finding.message, finding.advice, since)
