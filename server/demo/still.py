"""A small studio for still lifes: solids traced by their distance fields, lit and shaded.

Pure NumPy and OpenCV. A solid of revolution is a closed outline in the (radius, height)
half-plane; its distance field is looked up in a table, so a pot costs as much as a ball.
Lengths are in units of about ten centimetres, y is up, the table is y = 0. Colours are
linear RGB from 0 to 1. Method: J. C. Hart, "Sphere tracing" (1996).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Paint: TypeAlias = Callable[[Floats], Floats]
"""Colour, N x 3, of points, N x 3, in the solid's own space."""

_STEPS = 72
_FAR = 24.0
_CELLS = 320


@dataclass(frozen=True, slots=True)
class Solid:
    """Something on the table."""

    distance: Callable[[Floats], Floats]
    paint: Paint
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gloss: float = 0.3
    """Strength of the highlight."""
    glow: float = 0.0
    """Part of its colour that it gives off by itself."""


@dataclass(frozen=True, slots=True)
class Studio:
    """Where the camera stands and how the room is lit."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    lens: float = 2.4
    """Focal length over half the picture's height."""
    light: tuple[float, float, float] = (-0.55, 0.75, 0.5)
    lamp: tuple[float, float, float] | None = None
    """A warm point light, as inside a lantern."""
    key: tuple[float, float, float] = (1.5, 1.38, 1.2)
    sky: tuple[float, float, float] = (0.42, 0.46, 0.52)
    table: tuple[float, float, float] = (0.62, 0.52, 0.42)
    wall: tuple[float, float, float] = (0.55, 0.47, 0.4)
    solids: tuple[Solid, ...] = field(default=())


def lathe(outline: Sequence[tuple[float, float]]) -> Callable[[Floats], Floats]:
    """Make the distance field of a closed outline of (radius, height) turned about the axis."""
    points = np.array(outline, np.float32)
    reach = float(points[:, 0].max()) * 1.6 + 0.2
    low, high = float(points[:, 1].min()) - 0.5, float(points[:, 1].max()) + 0.5
    scale = _CELLS / max(reach, high - low)
    columns, rows = int(reach * scale) + 1, int((high - low) * scale) + 1
    mask = np.zeros((rows, columns), np.uint8)
    at = np.round((points - (0.0, low)) * scale * 16).astype(np.int32)
    cv2.fillPoly(mask, [at], 255, lineType=cv2.LINE_AA, shift=4)
    # The axis must not count as a surface: the far half mirrors the near one.
    both = np.concatenate([mask[:, ::-1], mask], axis=1)
    solid = (both > 127).astype(np.uint8)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    edge = np.clip(both.astype(np.float32) / 255, 0, 1) - 0.5
    table = np.where(outside > 1.5, outside - 0.5, np.where(inside > 1.5, 0.5 - inside, -edge))
    half = np.ascontiguousarray(cv2.GaussianBlur(table / scale, (0, 0), 1.2)[:, columns:], np.float32)

    def distance(p: Floats) -> Floats:
        radius = np.hypot(p[:, 0], p[:, 2])
        u = np.clip(radius, 0, reach - 1.5 / scale)
        v = np.clip(p[:, 1], low + 1 / scale, high - 1.5 / scale)
        inner = _sample(half, (u * scale - 0.5), (v - low) * scale - 0.5)
        away = np.hypot(radius - u, p[:, 1] - v)
        return np.where(away > 0, np.maximum(inner, 0) * 0.7 + away, inner).astype(np.float32)

    return distance


def _sample(table: Floats, x: Floats, y: Floats) -> Floats:
    """Read `table` between its cells; longer than the 32767 rows that remap takes at once."""
    found = np.empty(len(x), np.float32)
    for start in range(0, len(x), 30_000):
        part = slice(start, start + 30_000)
        found[part] = cv2.remap(
            table,
            x[part, None].astype(np.float32),
            y[part, None].astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[:, 0]
    return found


def block(size: tuple[float, float, float], rounding: float) -> Callable[[Floats], Floats]:
    """Make the distance field of a box of half-sizes `size` with round edges, centred."""
    half = np.array(size, np.float32) - rounding

    def distance(p: Floats) -> Floats:
        q = np.abs(p) - half
        outer = np.linalg.norm(np.maximum(q, 0), axis=1)
        return (outer + np.minimum(q.max(axis=1), 0) - rounding).astype(np.float32)

    return distance


def plain(*rgb: float) -> Paint:
    colour = np.array(rgb, np.float32)
    return lambda p: np.broadcast_to(colour, (len(p), 3)).copy()


def shoot(studio: Studio, width: int, height: int) -> NDArray[np.uint8]:
    """Render the still life as BGR, height x width x 3."""
    rays = _rays(studio, width, height)
    eye = np.array(studio.eye, np.float32)
    t, hit = _march(studio.solids, np.broadcast_to(eye, rays.shape), rays, _FAR)
    light = _unit(np.array(studio.light, np.float32))
    picture = _room(studio, eye, rays, light)
    for index, solid in enumerate(studio.solids):
        chosen = np.flatnonzero(hit == index)
        if len(chosen):
            points = eye + rays[chosen] * t[chosen, None]
            picture[chosen] = _lit(studio, solid, points, rays[chosen], light)
    linear = np.clip(picture.reshape(height, width, 3), 0, None)
    graded = 1.0 - np.exp(-1.55 * linear)
    grain = np.random.default_rng(7).normal(0, 0.004, (height, width, 1))
    encoded = np.clip(graded, 0, 1) ** (1 / 2.2) + grain
    return np.clip(encoded[:, :, ::-1] * 255, 0, 255).astype(np.uint8)


def _rays(studio: Studio, width: int, height: int) -> Floats:
    forward = _unit(np.subtract(studio.target, studio.eye).astype(np.float32))
    right = _unit(np.cross(forward, np.array((0, 1, 0), np.float32)))
    up = np.cross(right, forward)
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / (height / 2)
    y = (height / 2 - np.arange(height, dtype=np.float32) - 0.5) / (height / 2)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    rays = forward * studio.lens + grid[:, :1] * right + grid[:, 1:] * up
    return _unit(rays).astype(np.float32)


def _march(
    solids: Sequence[Solid], origin: Floats, rays: Floats, far: float
) -> tuple[Floats, NDArray[np.int32]]:
    """Walk along the rays to the first solid: distance and its index, -1 for none."""
    t = np.zeros(len(rays), np.float32)
    hit = np.full(len(rays), -1, np.int32)
    active = np.arange(len(rays))
    for _ in range(_STEPS):
        points = origin[active] + rays[active] * t[active, None]
        fields = np.stack([s.distance(points - np.array(s.place, np.float32)) for s in solids])
        nearest = fields.argmin(axis=0)
        d = fields[nearest, np.arange(len(active))]
        done = d < 0.002
        hit[active[done]] = nearest[done]
        t[active] += np.maximum(d, 0.001) * 0.92
        active = active[~done & (t[active] < far)]
        if len(active) == 0:
            break
    return t, hit


def _lit(studio: Studio, solid: Solid, points: Floats, rays: Floats, light: Floats) -> Floats:
    own = points - np.array(solid.place, np.float32)
    base = solid.paint(own)
    normal = _normal(solid, own)
    lifted = points + normal * 0.02
    facing = np.clip(normal @ light, 0, 1) * _shadow(studio.solids, lifted, light)
    open_ = _openness(studio.solids, points, normal)
    sky = np.array(studio.sky, np.float32) * (0.55 + 0.45 * normal[:, 1:2])
    bounce = np.array(studio.table, np.float32) * 0.32 * np.clip(0.3 - normal[:, 1:2], 0, 1)
    diffuse = facing[:, None] * np.array(studio.key, np.float32) + (sky + bounce) * open_[:, None]
    diffuse += _lamp(studio, points, normal)
    half = _unit(light - rays)
    shine = np.clip((normal * half).sum(axis=1), 0, 1)
    rim = (1 - np.clip(-(normal * rays).sum(axis=1), 0, 1)) ** 4
    gloss = solid.gloss * (facing * (shine**70 * 1.8 + shine**14 * 0.25) + rim * 0.4 * open_)
    return base * (diffuse * (1 - solid.glow) + solid.glow * 1.9) + gloss[:, None]


def _room(studio: Studio, eye: Floats, rays: Floats, light: Floats) -> Floats:
    """Colour of what lies behind the solids: a table that bends up into a wall."""
    wall = np.array(studio.wall, np.float32)
    picture = np.empty_like(rays)
    drop = np.clip(rays[:, 1] + 0.32, 0, 1)[:, None]
    side = rays @ _unit(np.array((light[0], 0.1, -0.4), np.float32))
    picture[:] = wall * (0.62 + 0.4 * side[:, None] - 0.35 * drop)
    down = np.flatnonzero(rays[:, 1] < -0.01)
    t = -eye[1] / rays[down, 1]
    near = t < _FAR
    down, t = down[near], t[near]
    points = eye + rays[down] * t[:, None]
    normal = np.broadcast_to(np.array((0, 1, 0), np.float32), points.shape)
    lifted = points + np.array((0, 0.01, 0), np.float32)
    bright = light[1] * _shadow(studio.solids, lifted, light)
    open_ = _openness(studio.solids, points, normal)
    lit = bright[:, None] * np.array(studio.key, np.float32)
    lit = lit + np.array(studio.sky, np.float32) * open_[:, None] + _lamp(studio, points, normal)
    ground = np.array(studio.table, np.float32) * lit * 0.62
    fade = np.clip((np.hypot(points[:, 0], points[:, 2]) - 3.0) / 6.0, 0, 1)[:, None] ** 1.2
    picture[down] = ground * (1 - fade) + picture[down] * fade
    return picture


def _lamp(studio: Studio, points: Floats, normal: Floats) -> Floats | float:
    if studio.lamp is None:
        return 0.0
    toward = np.array(studio.lamp, np.float32) - points
    far = np.linalg.norm(toward, axis=1)
    facing = np.clip((normal * toward).sum(axis=1) / far, 0.12, 1)
    return (facing / (0.4 + far**2))[:, None] * np.array((3.4, 1.75, 0.6), np.float32)


def _shadow(solids: Sequence[Solid], points: Floats, light: Floats) -> Floats:
    """How much of the key light reaches the points: 0..1, soft at the edges."""
    shade = np.ones(len(points), np.float32)
    t = np.full(len(points), 0.03, np.float32)
    for _ in range(26):
        d = _nearest(solids, points + light * t[:, None])
        shade = np.minimum(shade, np.clip(7.0 * d / t, 0, 1))
        t += np.clip(d, 0.04, 0.35)
    return (shade * shade * (3 - 2 * shade)).astype(np.float32)


def _openness(solids: Sequence[Solid], points: Floats, normal: Floats) -> Floats:
    """How much sky the points see: 0..1 (ambient occlusion by five probes)."""
    closed = np.zeros(len(points), np.float32)
    for reach, weight in ((0.04, 1.0), (0.1, 0.8), (0.2, 0.55), (0.36, 0.35), (0.6, 0.2)):
        probe = points + normal * reach
        d = np.minimum(_nearest(solids, probe), np.maximum(probe[:, 1], 0))
        closed += weight * np.maximum(reach - d, 0)
    return np.clip(1 - 1.25 * closed, 0.1, 1)


def _nearest(solids: Sequence[Solid], points: Floats) -> Floats:
    fields = [s.distance(points - np.array(s.place, np.float32)) for s in solids]
    return np.min(fields, axis=0)


def _normal(solid: Solid, p: Floats) -> Floats:
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        step = np.array(corner, np.float32)
        total += step * solid.distance(p + step * 0.008)[:, None]
    return _unit(total)


def _unit(v: Floats) -> Floats:
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return (v / np.maximum(length, 1e-6)).astype(np.float32)
