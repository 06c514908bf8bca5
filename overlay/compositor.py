"""Blends the cards of a scene into a picture's Y, U and V planes, in place.

Only the cards' regions are touched, nothing is converted and nothing as large as a
card is allocated per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from overlay.layout import Box, body_box, card_rect, on_right
from overlay.motion import AT_REST, DURATION, Pose, pose
from overlay.patches import Patch, patches
from overlay.price import is_rtl
from overlay.scene import MAX_CARDS, Card, Corner, Motion, Rect, Scene
from overlay.tiles import ColorSpec, Renderer, Tile

Picture = NDArray[np.uint8]
"""One plane of a frame, shape (rows, columns); rows may lie apart (stride)."""

_MAX_LEAVING = 2 * MAX_CARDS
"""More cards on their way out than this are cut short: scenes that change every frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A card's tile at its place in the picture."""

    card: Card
    place: tuple[Corner, str]
    """What else decides about its looks: a card that keeps all of it stays untouched."""
    tile: Tile
    body: Box
    outward: int
    """-1 when the nearer side of the picture is the left one, else 1."""
    rest: tuple[Patch, ...]
    """How it is blended while it neither enters nor leaves; empty when a side is cut off."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedScene:
    """A scene whose cards are rendered for one compositor."""

    scene: Scene
    placed: tuple[Placed, ...]
    rects: tuple[tuple[str, Rect], ...]
    """Card id and visible body of every card that will be drawn."""
    problems: tuple[str, ...]
    """One sentence for every card that was left out."""


@dataclass(slots=True, eq=False)
class _Actor:
    placed: Placed
    entered: int
    entering: Motion
    left: int | None = None
    leaving: Motion = Motion.NONE


class Compositor:
    """Draws scenes on pictures of one size.

    `prepare` may run in any thread, everything else belongs to the thread of the frames.
    """

    def __init__(self, width: int, height: int, color: ColorSpec) -> None:
        """Raises ValueError for a size that is odd or not positive."""
        if min(width, height) < 2 or width % 2 or height % 2:
            raise ValueError(f"picture of {width}x{height}: both sides must be even")
        self._width, self._height = width, height
        self._renderer = Renderer(color)
        self._actors: list[_Actor] = []
        self._blend = _Blend()

    def prepare(self, scene: Scene) -> PreparedScene:
        """Render a scene's cards. Slow; never raises for a card: it is left out and told."""
        rtl = is_rtl(scene.locale)
        aspect = Fraction(self._width, self._height)
        placed: list[Placed] = []
        rects: list[tuple[str, Rect]] = []
        problems: list[str] = []
        for card in scene.cards:
            try:
                rect = card_rect(card.slot, aspect, scene.corner, rtl)
                body = body_box(rect, self._width, self._height)
                tile = self._renderer.tile(card, body, scene.locale)
            except Exception as error:  # noqa: BLE001 - whatever a card does, the stream goes on
                problems.append(f"card {card.id}: {error}")
                continue
            outward = 1 if on_right(scene.corner, rtl) else -1
            rest = self._rest(tile, body)
            placed.append(Placed(card, (scene.corner, scene.locale), tile, body, outward, rest))
            rects.append((card.id, rect))
        return PreparedScene(scene, tuple(placed), tuple(rects), tuple(problems))

    def _rest(self, tile: Tile, body: Box) -> tuple[Patch, ...]:
        x, y = body.x - tile.margin, body.y - tile.margin
        inside = x >= 0 and y >= 0
        inside = inside and x + tile.width <= self._width and y + tile.height <= self._height
        return patches(tile, x, y) if inside else ()

    def change(self, prepared: PreparedScene, at: int) -> None:
        """Replace the scene from `at` (ticks) on.

        Cards that stay are not touched; the others leave and enter by the new scene's motion.
        """
        motion = prepared.scene.motion
        self._forget(at)
        staying: set[int] = set()
        for actor in self._actors:
            index = _find(prepared.placed, actor.placed)
            if actor.left is not None:
                continue
            if index is None:
                actor.left, actor.leaving = at, motion
            else:
                staying.add(index)
        self._actors = [a for a in self._actors if a.left is None or a.left > a.entered]
        entering = (p for i, p in enumerate(prepared.placed) if i not in staying)
        self._actors.extend(_Actor(placed, at, motion) for placed in entering)
        leaving = [a for a in self._actors if a.left is not None]
        for actor in leaving[:-_MAX_LEAVING]:
            self._actors.remove(actor)

    @property
    def idle(self) -> bool:
        """Nothing stands in the picture: `draw` would not touch it."""
        return not self._actors

    def draw(self, y: Picture, u: Picture, v: Picture, now: int) -> None:
        """Blend what is on screen at `now` (ticks) into a 4:2:0 picture, in place.

        `y` is (height, width), `u` and `v` half of it each way; rows may have a stride.
        Raises ValueError for planes of another size.
        """
        if not self._actors:
            return
        half = (self._height // 2, self._width // 2)
        if y.shape != (self._height, self._width) or u.shape != half or v.shape != half:
            raise ValueError(f"planes {y.shape} {u.shape} {v.shape} do not fit the compositor")
        gone = False
        for actor in self._actors:
            stance = pose(now, actor.entered, actor.left, actor.entering, actor.leaving)
            if stance is not None:
                self._draw_card(actor.placed, stance, (y, u, v))
            elif actor.left is not None and now >= actor.left:
                gone = True
        if gone:
            self._forget(now)

    def _draw_card(
        self, placed: Placed, stance: Pose, planes: tuple[Picture, Picture, Picture]
    ) -> None:
        if stance is AT_REST and placed.rest:
            self._blend.rest(planes, placed.rest)
            return
        tile, body = placed.tile, placed.body
        shift = 2 * round(placed.outward * stance.shift * body.width / 2)
        x, y = body.x - tile.margin + shift, body.y - tile.margin
        window = _visible(Box(x, y, tile.width, tile.height), self._width, self._height)
        if window.width <= 0 or window.height <= 0:
            return
        for picture, plane, step in zip(planes, (tile.y, tile.u, tile.v), (1, 2, 2), strict=True):
            cut = _scaled(window, step)
            rows, columns = cut.height, cut.width
            under = picture[cut.y : cut.bottom, cut.x : cut.right]
            top, left = cut.y - y // step, cut.x - x // step
            part = (slice(top, top + rows), slice(left, left + columns))
            self._blend.over(under, plane.keep[part], plane.add[part], stance.opacity)

    def _forget(self, now: int) -> None:
        self._actors = [a for a in self._actors if a.left is None or now < a.left + DURATION]


class _Blend:
    """The arithmetic, with the scratch memory that it works in."""

    def __init__(self) -> None:
        self._before: Picture = np.empty(0, np.uint8)

    def rest(self, planes: tuple[Picture, Picture, Picture], rest: tuple[Patch, ...]) -> None:
        """Blend a card that stands still, in place."""
        for number, rows, columns, keep, add in rest:
            under = planes[number][rows, columns]
            if keep is None:
                np.copyto(under, add)
            else:
                cv2.multiply(under, keep, dst=under, scale=1 / 255)
                cv2.add(under, add, dst=under)

    def over(self, under: Picture, keep: Picture, add: Picture, opacity: float) -> None:
        """Blend one plane of a tile, at an opacity, into `under`, in place."""
        before = self._copy(under) if opacity < 1 else None
        cv2.multiply(under, keep, dst=under, scale=1 / 255)
        cv2.add(under, add, dst=under)
        if before is not None:
            cv2.addWeighted(under, opacity, before, 1 - opacity, 0, dst=under)

    def _copy(self, under: Picture) -> Picture:
        size = under.shape[0] * under.shape[1]
        if self._before.size < size:
            self._before = np.empty(size, np.uint8)
        copy = self._before[:size].reshape(under.shape)
        np.copyto(copy, under)
        return copy


def _find(placed: tuple[Placed, ...], wanted: Placed) -> int | None:
    for index, one in enumerate(placed):
        if one.card == wanted.card and one.place == wanted.place:
            return index
    return None


def _visible(box: Box, width: int, height: int) -> Box:
    x, y = max(box.x, 0), max(box.y, 0)
    return Box(x, y, min(box.right, width) - x, min(box.bottom, height) - y)


def _scaled(box: Box, step: int) -> Box:
    return Box(box.x // step, box.y // step, box.width // step, box.height // step)
