"""A small studio for still lifes: solids traced by their distance fields, lit and shaded.

NumPy. Lengths and axes are `server.demo.shape`'s; colours are linear RGB from 0 to 1. Method:
J. C. Hart, "Sphere tracing" (1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.demo.shape import Floats, Solid

_STEPS = 72
_FAR = 24.0


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
    reach: float = 1.75
    """All solids lie within so much of (0, 0.9, 0)."""
    solids: tuple[Solid, ...] = ()


def shoot(studio: Studio, width: int, height: int) -> NDArray[np.uint8]:
    """Render the still life: height x width x 4, BGR and 255 where no solid is."""
    rays = _rays(studio, width, height)
    eye = np.array(studio.eye, np.float32)
    t, hit = _march(studio, eye, rays)
    light = _unit(np.array(studio.light, np.float32))
    picture = np.zeros_like(rays)
    bare = np.flatnonzero(hit < 0)
    picture[bare] = _room(studio, eye, rays[bare], light)
    for index, solid in enumerate(studio.solids):
        chosen = np.flatnonzero(hit == index)
        if len(chosen):
            points = eye + rays[chosen] * t[chosen, None]
            picture[chosen] = _lit(studio, solid, points, rays[chosen], light)
    linear = np.clip(picture.reshape(height, width, 3), 0, None)
    graded = np.clip(1.0 - np.exp(-1.25 * linear), 0, 1) ** (1 / 2.2)
    contrast = graded + 0.16 * (graded - 0.5) * (1 - np.abs(2 * graded - 1))
    bgr = np.clip(contrast[:, :, ::-1] * 255, 0, 255).astype(np.uint8)
    empty = np.where(hit < 0, 255, 0).astype(np.uint8).reshape(height, width, 1)
    return np.concatenate([bgr, empty], axis=2)


def _rays(studio: Studio, width: int, height: int) -> Floats:
    forward = _unit(np.subtract(studio.target, studio.eye).astype(np.float32))
    right = _unit(np.cross(forward, np.array((0, 1, 0), np.float32)))
    up = np.cross(right, forward)
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / (height / 2)
    y = (height / 2 - np.arange(height, dtype=np.float32) - 0.5) / (height / 2)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    rays = forward * studio.lens + grid[:, :1] * right + grid[:, 1:] * up
    return _unit(np.asarray(rays, np.float32))


def _march(studio: Studio, eye: Floats, rays: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Walk along the rays to the first solid: distance and its index, -1 for none."""
    t, far = _within(studio, np.broadcast_to(eye, rays.shape), rays)
    hit = np.full(len(rays), -1, np.int32)
    active = np.flatnonzero(far > t)
    for _ in range(_STEPS):
        points = eye + rays[active] * t[active, None]
        fields = np.stack([solid.field(points) for solid in studio.solids])
        nearest = fields.argmin(axis=0)
        d = fields[nearest, np.arange(len(active))]
        done = d < 0.002
        hit[active[done]] = nearest[done]
        t[active] += np.maximum(d, 0.001) * 0.92
        active = active[~done & (t[active] < far[active])]
        if len(active) == 0:
            break
    return t, hit


def _within(studio: Studio, origin: Floats, rays: Floats) -> tuple[Floats, Floats]:
    """Return where rays enter and leave the ball that holds all solids; leave <= enter: never."""
    toward = origin - np.array((0, 0.9, 0), np.float32)
    b = (toward * rays).sum(axis=1)
    inside = b * b - (toward * toward).sum(axis=1) + studio.reach**2
    root = np.sqrt(np.maximum(inside, 0))
    enter = np.maximum(-b - root, 0).astype(np.float32)
    return enter, np.where(inside > 0, root - b, -1).astype(np.float32)


def _lit(studio: Studio, solid: Solid, points: Floats, rays: Floats, light: Floats) -> Floats:
    own = points - np.array(solid.place, np.float32)
    base = solid.paint(own)
    normal = _normal(solid, own)
    lifted = points + normal * 0.02
    facing = np.clip(normal @ light, 0, 1) * _shadow(studio, lifted, light)
    open_ = _openness(studio, points, normal)
    sky = np.array(studio.sky, np.float32) * (0.55 + 0.45 * normal[:, 1:2])
    bounce = np.array(studio.table, np.float32) * 0.32 * np.clip(0.3 - normal[:, 1:2], 0, 1)
    diffuse = facing[:, None] * np.array(studio.key, np.float32) + (sky + bounce) * open_[:, None]
    diffuse += _lamp(studio, points, normal)
    half = _unit(light - rays)
    shine = np.clip((normal * half).sum(axis=1), 0, 1)
    rim = (1 - np.clip(-(normal * rays).sum(axis=1), 0, 1)) ** 4
    gloss = solid.gloss * (facing * (shine**70 * 1.8 + shine**14 * 0.25) + rim * 0.4 * open_)
    lit = base * (diffuse * (1 - solid.glow) + solid.glow * 1.9) + gloss[:, None]
    return np.asarray(lit, np.float32)


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
    bright = light[1] * _shadow(studio, lifted, light)
    open_ = _openness(studio, points, normal)
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
    warm = np.array((3.4, 1.75, 0.6), np.float32)
    return np.asarray((facing / (0.4 + far**2))[:, None] * warm, np.float32)


def _shadow(studio: Studio, points: Floats, light: Floats) -> Floats:
    """How much of the key light reaches the points: 0..1, soft at the edges."""
    shade = np.ones(len(points), np.float32)
    t, far = _within(studio, points, np.broadcast_to(light, points.shape))
    t = np.maximum(t, 0.03)
    active = np.flatnonzero(far > t)
    for _ in range(26):
        if len(active) == 0:
            break
        d = _nearest(studio.solids, points[active] + light * t[active, None])
        shade[active] = np.minimum(shade[active], np.clip(7.0 * d / t[active], 0, 1))
        t[active] += np.clip(d, 0.04, 0.35)
        active = active[(t[active] < far[active]) & (shade[active] > 0.01)]
    return np.asarray(shade * shade * (3 - 2 * shade), np.float32)


def _openness(studio: Studio, points: Floats, normal: Floats) -> Floats:
    """How much sky the points see: 0..1 (ambient occlusion by five probes)."""
    open_ = np.ones(len(points), np.float32)
    near = np.flatnonzero(
        np.linalg.norm(points - np.array((0, 0.9, 0), np.float32), axis=1) < studio.reach + 0.6
    )
    for reach, weight in ((0.04, 1.0), (0.1, 0.8), (0.2, 0.55), (0.36, 0.35), (0.6, 0.2)):
        probe = points[near] + normal[near] * reach
        d = np.minimum(_nearest(studio.solids, probe), np.maximum(probe[:, 1], 0))
        open_[near] -= 1.25 * weight * np.maximum(reach - d, 0)
    return np.clip(open_, 0.1, 1).astype(np.float32)


def _nearest(solids: Sequence[Solid], points: Floats) -> Floats:
    fields = np.stack([solid.field(points) for solid in solids])
    return np.asarray(fields.min(axis=0), np.float32)


def _normal(solid: Solid, p: Floats) -> Floats:
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        step = np.array(corner, np.float32)
        total += step * solid.distance(p + step * 0.008)[:, None]
    return _unit(total)


def _unit(v: Floats) -> Floats:
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.asarray(v / np.maximum(length, 1e-6), np.float32)
