"""The product card of the benchmarks: as a scene for us, as pictures for the reference.

Imports OpenCV and NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from overlay.face import margin, paint
from overlay.layout import body_box, card_rect
from overlay.scene import Card, Money, Motion, Scene
from overlay.typeface import Typeface
from transcode.ladder import Rendition


@dataclass(frozen=True, slots=True)
class Sticker:
    """A card as a PNG of its own, and the pixel at which its top left goes."""

    path: Path
    x: int
    y: int


def scene() -> Scene:
    """Give a scene with one card: picture, title of two lines, price, old price."""
    ramp = np.linspace(0, 255, 600, dtype=np.uint8)
    pixels = np.dstack([np.tile(ramp, (600, 1)), np.tile(ramp[:, None], (1, 600))] * 2)[..., :3]
    _, image = cv2.imencode(".jpg", pixels)
    card = Card(
        "bench",
        "Silk Blouse with Pearl Buttons",
        Money(10_320, "USD"),
        Money(12_900, "USD"),
        image.tobytes(),
    )
    return Scene("bench", (card,), motion=Motion.NONE)


def stickers(rendition: Rendition, folder: Path) -> list[Sticker]:
    """Write the cards of `scene` as they look in `rendition`, shadow and all, as RGBA PNG."""
    shown = scene()
    made: list[Sticker] = []
    for card in shown.cards:
        rect = card_rect(card.slot, Fraction(rendition.width, rendition.height), shown.corner)
        body = body_box(rect, rendition.width, rendition.height)
        canvas = paint(card, body, shown.locale, Typeface())
        straight = canvas.rgb / np.maximum(canvas.alpha, 1e-6)[..., None]
        pixels = np.dstack([straight[..., ::-1], canvas.alpha * 255]).clip(0, 255)
        path = folder / f"card-{rendition.name}-{card.slot}.png"
        cv2.imwrite(str(path), pixels.round().astype(np.uint8))
        made.append(Sticker(path, body.x - margin(body), body.y - margin(body)))
    return made
