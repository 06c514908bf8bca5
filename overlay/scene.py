"""What should be on screen: values the shop publishes and the compositor draws.

Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Corner(StrEnum):
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"
    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"


class Motion(StrEnum):
    NONE = "none"
    FADE = "fade"
    SLIDE = "slide"


MAX_CARDS = 3


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer minor units of an ISO 4217 currency."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Card:
    """One product card. `id` is the pin's id; a card's content never changes under an id."""

    id: str
    title: str
    price: Money
    was: Money | None = None
    """The struck-through old price, higher than `price`."""
    image: bytes | None = None
    """An encoded JPEG, PNG or WebP; scaled to cover a square."""
    slot: int = 0
    """0 .. MAX_CARDS - 1; fixed for the card's life, so that its rectangle is too."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything on screen from one instant on. Replaces the scene before it."""

    id: str
    cards: tuple[Card, ...] = ()
    locale: str = "en"
    """BCP 47; decides price format and writing direction."""
    corner: Corner = Corner.BOTTOM_LEFT
    motion: Motion = Motion.FADE


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in fractions (0..1) of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float
