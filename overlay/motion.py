"""How a card comes and goes: pure functions of media time. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from overlay.scene import Motion

DURATION = 22_500
"""Ticks (90 kHz) that a card takes to enter or to leave: 250 ms."""

FIRST_OPACITY = 0.2
"""Opacity on the very first frame: the start that the timeline states is true in the pixels."""

_TRAVEL = 0.1
"""How far a sliding card travels, in card widths."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How to draw a card on one frame."""

    opacity: float
    """Above 0, up to 1."""
    shift: float
    """Towards the nearer side of the picture, in card widths."""


AT_REST = Pose(1.0, 0.0)
"""What `pose` gives, this very object, for a card that stands still."""


def pose(
    now: int, entered: int, left: int | None, entering: Motion, leaving: Motion = Motion.NONE
) -> Pose | None:
    """Tell how a card stands at `now`; None when it is not on screen.

    `entered` and `left` (None: not yet) are ticks on the same axis as `now`. A card is
    visible from the frame at `entered` on, full after DURATION, and gone DURATION after
    `left`; with Motion.NONE it is full at `entered` and gone at `left`.
    """
    if now < entered or (left is not None and now >= left + _length(leaving)):
        return None
    opacity, shift = 1.0, 0.0
    if entering is not Motion.NONE and now - entered < DURATION:
        eased = _ease_out((now - entered) / DURATION)
        opacity = FIRST_OPACITY + (1 - FIRST_OPACITY) * eased
        shift = (1 - eased) * _TRAVEL if entering is Motion.SLIDE else 0.0
    if left is not None and now >= left:
        # Starts one step in, so that the first frame after the end differs too.
        eased = _ease_out((now - left) / DURATION)
        opacity *= (1 - FIRST_OPACITY) * (1 - eased)
        shift += eased * _TRAVEL if leaving is Motion.SLIDE else 0.0
    if opacity <= 0:
        return None
    return AT_REST if opacity >= 1 and shift == 0 else Pose(min(opacity, 1.0), shift)


def _length(motion: Motion) -> int:
    return 0 if motion is Motion.NONE else DURATION


def _ease_out(part: float) -> float:
    return 1 - (1 - part) ** 3
