"""What the demo sells, as solids: tea, a bowl, honey, a lantern, a scarf. NumPy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from server.demo.shape import Floats, Paint, Solid, block, lathe, plain

Place = tuple[float, float, float]


def tea(at: Place = (0, 0, 0)) -> tuple[Solid, ...]:
    """A dark bowl of whisked tea."""
    bowl = lathe(
        [(0, 0), (0.42, 0), (0.44, 0.1), (0.5, 0.14), (0.86, 0.4), (0.98, 0.8), (0.98, 1.1),
         (0.95, 1.13), (0.91, 1.1), (0.9, 0.82), (0.78, 0.5), (0.4, 0.26), (0, 0.22)]
    )  # fmt: skip
    drink = lathe([(0, 0.3), (0.4, 0.31), (0.74, 0.5), (0.88, 0.84), (0.88, 0.88), (0, 0.89)])
    return (
        Solid(bowl, _glaze((0.035, 0.042, 0.05), (0.17, 0.09, 0.05), 0.34), at, gloss=0.55),
        Solid(drink, _foam, at, gloss=0.12),
    )


def bowl(at: Place = (0, 0, 0)) -> tuple[Solid, ...]:
    """A wide celadon bowl with three persimmons."""
    body = lathe(
        [(0, 0), (0.5, 0), (0.52, 0.12), (0.6, 0.2), (1.05, 0.46), (1.34, 0.86), (1.36, 0.92),
         (1.31, 0.93), (1.24, 0.84), (0.95, 0.54), (0.5, 0.3), (0, 0.26)]
    )  # fmt: skip
    fruit = lathe(
        [(0, 0.02), (0.22, 0.0), (0.42, 0.12), (0.5, 0.3), (0.46, 0.48), (0.3, 0.6), (0.1, 0.6),
         (0, 0.57)]
    )  # fmt: skip
    leaf = lathe([(0, 0.58), (0.16, 0.62), (0.2, 0.6), (0.06, 0.66), (0.04, 0.76), (0, 0.77)])
    parts = [Solid(body, _glaze((0.42, 0.6, 0.52), (0.3, 0.45, 0.4), 0.12), at, gloss=0.6)]
    for x, z, lift in ((-0.44, 0.2, 0.42), (0.46, 0.24, 0.42), (0.02, -0.42, 0.46)):
        place = (at[0] + x, at[1] + lift, at[2] + z)
        parts.append(Solid(fruit, plain(0.92, 0.3, 0.035), place, gloss=0.4, ball=(0.3, 0.62)))
        parts.append(Solid(leaf, plain(0.13, 0.17, 0.05), place, gloss=0.1, ball=(0.66, 0.3)))
    return tuple(parts)


def honey(at: Place = (0, 0, 0)) -> tuple[Solid, ...]:
    """A jar of honey with a label and a cork."""
    jar = lathe(
        [(0, 0), (0.66, 0), (0.72, 0.06), (0.74, 0.2), (0.74, 1.1), (0.7, 1.28), (0.54, 1.4),
         (0.52, 1.46), (0.57, 1.5), (0.57, 1.56), (0, 1.56)]
    )  # fmt: skip
    cork = lathe([(0, 1.5), (0.47, 1.5), (0.5, 1.84), (0.47, 1.88), (0, 1.88)])
    return (
        Solid(jar, _honey_paint(), at, gloss=0.9, glow=0.2),
        Solid(cork, _speckled((0.62, 0.42, 0.25), 0.22), at, gloss=0.03),
    )


def lantern(at: Place = (0, 0, 0)) -> tuple[Solid, ...]:
    """A paper lantern, lit, on its foot."""
    ribs = []
    for step in range(97):
        y = step / 96
        swell = np.sin(np.pi * (0.12 + 0.76 * y)) ** 0.7
        ribs.append((0.86 * swell + 0.014 * abs(np.sin(y * np.pi * 11)), 0.22 + y * 1.62))
    paper = lathe([(0.0, 0.22), *ribs, (0.0, 1.84)])
    foot = lathe([(0, 0), (0.46, 0), (0.46, 0.16), (0.42, 0.24), (0, 0.24)])
    cap = lathe(
        [(0, 1.8), (0.42, 1.8), (0.46, 1.92), (0.4, 1.97), (0.1, 1.98), (0.1, 2.1), (0, 2.1)]
    )  # fmt: skip
    wood = plain(0.05, 0.03, 0.022)
    return (
        Solid(paper, _paper, at, gloss=0.04, glow=0.7),
        Solid(foot, wood, at, gloss=0.3, ball=(0.12, 0.6)),
        Solid(cap, wood, at, gloss=0.3, ball=(1.95, 0.6)),
    )


def scarf(at: Place = (0, 0, 0)) -> tuple[Solid, ...]:
    """A woollen scarf, folded."""
    layers = ((1.12, 0.16, 0.78, 0.0), (1.1, 0.15, 0.76, 0.02), (1.11, 0.16, 0.77, -0.015))
    parts = []
    height = 0.0
    for width, thick, depth, shift in layers:
        place = (at[0] + shift, at[1] + height + thick, at[2] + shift)
        shape = block((width, thick, depth), thick * 0.96)
        parts.append(Solid(shape, _plaid, place, gloss=0.02, ball=(0, 1.4)))
        height += thick * 1.82
    return tuple(parts)


def _glaze(upper: Place, lower: Place, line: float) -> Paint:
    """Two glazes that meet in a soft, uneven line at height `line`."""

    def paint(p: Floats) -> Floats:
        angle = np.arctan2(p[:, 2], p[:, 0])
        edge = line + 0.05 * np.sin(angle * 3 + 1) + 0.025 * np.sin(angle * 7)
        mix = np.clip((p[:, 1] - edge) / 0.07 + 0.5, 0, 1)[:, None]
        cloud = 1 + 0.09 * np.sin(p[:, :1] * 9 + 3 * np.sin(p[:, 2:] * 5)) * np.sin(p[:, 1:2] * 11)
        return np.asarray((np.array(upper) * mix + np.array(lower) * (1 - mix)) * cloud, np.float32)

    return paint


def _foam(p: Floats) -> Floats:
    radius = np.hypot(p[:, 0], p[:, 2])[:, None]
    swirl = np.sin(np.arctan2(p[:, 2:], p[:, :1]) * 2 + radius * 9)
    fine = np.sin(p[:, :1] * 71) * np.sin(p[:, 2:] * 67) * 0.04
    base = np.array((0.33, 0.47, 0.09)) * (1 + 0.13 * swirl + fine)
    return np.asarray(base * (0.78 + 0.4 * np.clip(radius, 0, 0.8)), np.float32)


def _speckled(colour: Place, depth: float) -> Paint:
    def paint(p: Floats) -> Floats:
        dots = np.sin(p[:, :1] * 43 + 5 * np.sin(p[:, 1:2] * 31)) * np.sin(p[:, 2:] * 37)
        return np.asarray(np.array(colour) * (1 - depth * np.clip(dots - 0.3, 0, 1)), np.float32)

    return paint


def _honey_paint() -> Paint:
    label = _label("HONEY", "raw, unfiltered")
    rows, columns = label.shape

    def paint(p: Floats) -> Floats:
        angle = np.arctan2(p[:, 0], p[:, 2])
        depth = np.clip(p[:, 1:2] / 1.4, 0, 1)
        amber = np.array((0.62, 0.16, 0.004)) * (1 - depth) + np.array((0.9, 0.36, 0.02)) * depth
        amber = np.where(p[:, 1:2] > 1.3, np.array((0.75, 0.78, 0.72)), amber)
        x = (angle / 1.9 + 0.5) * columns
        y = (1.05 - p[:, 1]) / 0.72 * rows
        on = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        ink = label[np.clip(y, 0, rows - 1).astype(int), np.clip(x, 0, columns - 1).astype(int)]
        paper = np.array((0.78, 0.73, 0.62)) * ink[:, None] + np.array((0.1, 0.05, 0.02)) * (
            1 - ink[:, None]
        )
        return np.where(on[:, None], paper, amber).astype(np.float32)

    return paint


def _label(word: str, line: str) -> Floats:
    """Draw a label: 1 paper, 0 ink."""
    paper = np.full((288, 560), 255, np.uint8)
    cv2.rectangle(paper, (14, 14), (545, 273), 0, 3, cv2.LINE_AA)
    for text, y, size, thick in ((word, 150, 3.0, 7), (line, 222, 1.15, 2)):
        width = cv2.getTextSize(text, cv2.FONT_HERSHEY_COMPLEX, size, thick)[0][0]
        at = (280 - width // 2, y)
        cv2.putText(paper, text, at, cv2.FONT_HERSHEY_COMPLEX, size, 0, thick, cv2.LINE_AA)
    return np.asarray(paper / np.float32(255), np.float32)


def _paper(p: Floats) -> Floats:
    height = (p[:, 1:2] - 1.0) / 0.8
    heat = np.exp(-height * height * 1.5)
    rib = 0.86 + 0.14 * np.abs(np.sin((p[:, 1:2] - 0.22) / 1.62 * np.pi * 11))
    cool, warm = np.array((0.72, 0.2, 0.05)), np.array((1.0, 0.6, 0.22))
    return np.asarray((cool * (1 - heat) + warm * heat) * rib, np.float32)


def _plaid(p: Floats) -> Floats:
    base = np.array((0.33, 0.045, 0.05))
    x, z = p[:, :1], p[:, 2:] + p[:, 1:2]
    wide = (np.sin(x * 8) > 0.3) * 0.5 + (np.sin(z * 8 + 1) > 0.3) * 0.5
    thin = (np.abs(np.sin(x * 4 + 0.4)) > 0.995) * 0.8
    colour = base * (1 - 0.62 * wide) + np.array((0.02, 0.03, 0.07)) * wide
    colour = colour * (1 - thin) + np.array((0.75, 0.62, 0.36)) * thin
    weave = 1 + 0.16 * np.sin((x + z) * 60) * np.sin((x - z) * 60)
    return np.asarray(colour * weave, np.float32)
