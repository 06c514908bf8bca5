"""Where a card stands: a pure function of its slot and the picture's aspect.

Standard library only. The same rectangle is the card's visible body in the
pixels and the click target in the player, so it depends on nothing else: not on
the card's content, not on the rendition's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from overlay.scene import MAX_CARDS, Corner, Rect

CARD_ASPECT = 3.1
"""Width of a card over its height."""

_SAFE = 0.05
_PORTRAIT_BOTTOM = 0.25
"""In portrait the page's own controls lie over the lower quarter."""
_WIDTH_OF_HEIGHT = 0.62
_WIDTH_OF_WIDTH = 0.78
_GAP = 0.14
"""Between stacked cards, in card heights."""

_RIGHT = (Corner.BOTTOM_RIGHT, Corner.TOP_RIGHT)
_BOTTOM = (Corner.BOTTOM_LEFT, Corner.BOTTOM_RIGHT)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in whole pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


def on_right(corner: Corner, rtl: bool) -> bool:
    """Tell whether cards stand at the picture's right edge; right-to-left mirrors it."""
    return (corner in _RIGHT) != rtl


def card_rect(
    slot: int, aspect: Fraction | float, corner: Corner = Corner.BOTTOM_LEFT, rtl: bool = False
) -> Rect:
    """Place a card in a picture of display aspect `aspect` (width / height).

    Slot 0 stands nearest its corner, the others stack away from it. Every side keeps
    a 5 % margin; under an aspect of 1 the bottom margin is 25 %. Raises ValueError for
    a slot outside 0 .. MAX_CARDS - 1 or an aspect that is not positive.
    """
    ratio = float(aspect)
    if not 0 <= slot < MAX_CARDS:
        raise ValueError(f"slot {slot} is not 0 .. {MAX_CARDS - 1}")
    if not ratio > 0:
        raise ValueError(f"aspect {ratio} is not positive")
    bottom_margin = _PORTRAIT_BOTTOM if ratio < 1 else _SAFE
    width = min(_WIDTH_OF_HEIGHT / ratio, _WIDTH_OF_WIDTH)
    room = 1 - _SAFE - bottom_margin
    stack = MAX_CARDS + (MAX_CARDS - 1) * _GAP
    height = min(width * ratio / CARD_ASPECT, room / stack)
    width = height * CARD_ASPECT / ratio
    x = 1 - _SAFE - width if on_right(corner, rtl) else _SAFE
    step = slot * height * (1 + _GAP)
    y = 1 - bottom_margin - height - step if corner in _BOTTOM else _SAFE + step
    return Rect(x, y, width, height)


def body_box(rect: Rect, width: int, height: int) -> Box:
    """Snap `rect` to the chroma grid (even pixels) of a `width` x `height` picture.

    The size is snapped by itself, so that it is the same in every slot and corner.
    """
    wide, high = _even(rect.width * width), _even(rect.height * height)
    return Box(_even(rect.x * width), _even(rect.y * height), max(wide, 2), max(high, 2))


def _even(length: float) -> int:
    return 2 * round(length / 2)
