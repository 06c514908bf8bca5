"""The design of the product card: what stands where on it, in which size and colour.

All lengths are in units of a hundredth of the card's height, so that a card looks the
same at every rung. Right-to-left locales see it mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

from overlay.canvas import Area, Canvas, Colour
from overlay.errors import MissingGlyph
from overlay.layout import Box
from overlay.picture import square
from overlay.price import discount, discount_text, is_rtl, plain_price_text, price_text
from overlay.scene import Card, Money
from overlay.typeface import Typeface, Weight, clean
from overlay.wrap import wrap

_PAPER = Colour(255, 255, 255)
_INK = Colour(20, 22, 28)
_QUIET = Colour(112, 117, 128)
_SALE = Colour(226, 18, 48)
_SHADE = Colour(8, 10, 20)

_RADIUS = 13.0
_PADDING = 8.0
_PICTURE_RADIUS = 8.0
_TEXT_GAP = 11.0
_END_PADDING = 12.0
_BARE_INDENT = 7.0

_TITLE = 17.5
_LEADING = 21.5
_PRICE = 30.0
_OLD = 16.0
_OLD_GAP = 7.0
_OLD_LIFT = 6.5
_STACKED_OLD = 14.5
_STACKED_DROP = 1.5
_BADGE = 13.5
_BADGE_HEIGHT = 20.0
_BADGE_PADDING = 5.5
_BADGE_RADIUS = 6.0

_TOP = 9.8
"""Top of the title's capitals."""
_BASELINE = 90.0
"""Of the price."""
_TITLE_LINES = 2
_SHORT_SINK = 7.0

_CAP = 0.7
"""Height of Rubik's capitals and figures, in font sizes."""
_SMALLEST_PRICE = 0.8
"""Shrunk below this to make room, the old price goes on a line of its own instead."""
_STACKED_PRICE = 0.82

_LEGIBLE = 16
"""Pixels of height under which a card is left blank: there is no room for a letter."""

_MARGIN = 0.16
"""Room around the body for the shadow, in body heights."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A card's texts as its locale writes them, every character drawable."""

    title: str
    price: str
    old: str | None
    badge: str | None


def margin(body: Box) -> int:
    """Give the room, in whole even pixels, that the shadow takes on every side of `body`."""
    return 2 * round(body.height * _MARGIN / 2)


def word(card: Card, locale: str, typeface: Typeface) -> Wording:
    """Put a card into words. Raises MissingGlyph and BadPrice.

    A price whose symbol no font draws is written with its ISO code.
    """
    typeface.check(card.title)
    old = badge = None
    if card.was is not None:
        percent = discount(card.price, card.was)
        old = _money(card.was, locale, typeface)
        badge = _drawable(discount_text(percent, locale), f"-{percent}%", typeface)
        if percent < 1:
            badge = None
    return Wording(clean(card.title), _money(card.price, locale, typeface), old, badge)


def _money(money: Money, locale: str, typeface: Typeface) -> str:
    return _drawable(price_text(money, locale), plain_price_text(money), typeface)


def _drawable(text: str, plain: str, typeface: Typeface) -> str:
    try:
        typeface.check(text)
    except MissingGlyph:
        return plain
    return text


def paint(card: Card, body: Box, locale: str, typeface: Typeface) -> Canvas:
    """Paint a card whose body measures `body.width` x `body.height` pixels.

    The canvas is larger by `margin(body)` on every side. Raises OverlayError.
    """
    return _Face(body, typeface, is_rtl(locale)).paint(card, word(card, locale, typeface))


class _Face:
    def __init__(self, body: Box, typeface: Typeface, mirrored: bool) -> None:
        self._typeface = typeface
        self._mirrored = mirrored
        self._unit = body.height / 100
        self._width = body.width / self._unit
        self._margin = margin(body)
        self._canvas = Canvas(body.width + 2 * self._margin, body.height + 2 * self._margin)

    def paint(self, card: Card, words: Wording) -> Canvas:
        self._ground()
        if self._unit * 100 < _LEGIBLE:
            return self._canvas
        start = _PADDING + _BARE_INDENT
        if card.image is not None:
            self._picture(card.image)
            start = 100 - _PADDING + _TEXT_GAP
        end = self._width - _END_PADDING
        lines = self._lines(words.title, end - start)
        # A title of one line and its price move together, to the middle.
        sink = _SHORT_SINK if len(lines) < _TITLE_LINES else 0.0
        for number, line in enumerate(lines):
            baseline = _TOP + sink + _CAP * _TITLE + number * _LEADING
            self._write(line, start, baseline, _TITLE, Weight.MEDIUM, _INK)
        base = _BASELINE - sink
        spent = self._prices(words, start, end, base)
        if words.badge is not None:
            if card.image is not None:
                self._badge(words.badge, _PADDING + 3.5, _PADDING + 3.5)
            elif spent + _OLD_GAP + self._badge_width(words.badge) <= end:
                middle = base - _CAP * _OLD / 2
                self._badge(words.badge, spent + _OLD_GAP + 2, middle - _BADGE_HEIGHT / 2)
        return self._canvas

    def _ground(self) -> None:
        body, radius = self._area(0, 0, self._width, 100), _RADIUS * self._unit
        for drop, spread, opacity in ((4.0, 5.5, 0.30), (1.2, 1.2, 0.16)):
            cast = Area(body.x, body.y + drop * self._unit, body.width, body.height)
            self._canvas.shadow(cast, radius, spread * self._unit, _SHADE, opacity)
        self._canvas.fill(body, radius, _PAPER)
        self._canvas.outline(body, radius, max(0.7 * self._unit, 0.5), _SHADE, 0.06)

    def _picture(self, image: bytes) -> None:
        side = round((100 - 2 * _PADDING) * self._unit)
        place = self._area(_PADDING, _PADDING, 100 - 2 * _PADDING, 100 - 2 * _PADDING)
        place = Area(round(place.x), round(place.y), side, side)
        radius = _PICTURE_RADIUS * self._unit
        self._canvas.picture(place, radius, square(image, side))
        self._canvas.outline(place, radius, max(0.6 * self._unit, 0.5), _SHADE, 0.08)

    def _lines(self, title: str, room: float) -> list[str]:
        def measure(text: str) -> float:
            return self._text_width(text, _TITLE, Weight.MEDIUM)

        return wrap(title, room, _TITLE_LINES, measure)

    def _prices(self, words: Wording, start: float, end: float, base: float) -> float:
        """Write the price and the old price; give where the lower line ends.

        A price is never cut off: it shrinks until it fits.
        """
        room = end - start
        wide = self._text_width(words.price, _PRICE, Weight.BOLD)
        if words.old is None:
            size = _PRICE * min(1.0, room / wide)
            return self._write(words.price, start, base, size, Weight.BOLD, _INK)
        old_wide = self._text_width(words.old, _OLD, Weight.REGULAR)
        beside = (room - _OLD_GAP - old_wide) / wide
        if beside >= _SMALLEST_PRICE:
            size = _PRICE * min(1.0, beside)
            spent = self._write(words.price, start, base, size, Weight.BOLD, _SALE)
            return self._strike(words.old, spent + _OLD_GAP, base, _OLD)
        size = _PRICE * min(_STACKED_PRICE, room / wide)
        base += _STACKED_DROP
        above = base - _CAP * size - _OLD_LIFT
        self._strike(words.old, start, above, _STACKED_OLD * min(1.0, room / old_wide))
        return self._write(words.price, start, base, size, Weight.BOLD, _SALE)

    def _strike(self, text: str, start: float, baseline: float, size: float) -> float:
        end = self._write(text, start, baseline, size, Weight.REGULAR, _QUIET)
        thick = max(1.2, 1 / self._unit)
        middle = baseline - _CAP * size / 2
        line = self._area(start - 1, middle - thick / 2, end - start + 2, thick)
        self._canvas.fill(line, thick * self._unit / 2, _QUIET)
        return end

    def _badge_width(self, text: str) -> float:
        return self._text_width(text, _BADGE, Weight.BOLD) + 2 * _BADGE_PADDING

    def _badge(self, text: str, x: float, y: float) -> None:
        pill = self._area(x, y, self._badge_width(text), _BADGE_HEIGHT)
        self._canvas.fill(pill, _BADGE_RADIUS * self._unit, _SALE)
        baseline = y + (_BADGE_HEIGHT + _CAP * _BADGE) / 2
        self._write(text, x + _BADGE_PADDING, baseline, _BADGE, Weight.BOLD, _PAPER)

    def _write(
        self, text: str, x: float, baseline: float, size: float, weight: Weight, colour: Colour
    ) -> float:
        """Write a line from `x` on and give where it ends, both counted from the card's start."""
        line = self._typeface.draw(text, size * self._unit, weight)
        end = x + line.width / self._unit
        pen = self._area(x, baseline, end - x, 0)
        self._canvas.text(line, pen.x, pen.y, colour)
        return end

    def _text_width(self, text: str, size: float, weight: Weight) -> float:
        return self._typeface.width(text, size * self._unit, weight) / self._unit

    def _area(self, x: float, y: float, width: float, height: float) -> Area:
        left = self._width - x - width if self._mirrored else x
        unit = self._unit
        return Area(
            self._margin + left * unit, self._margin + y * unit, width * unit, height * unit
        )
