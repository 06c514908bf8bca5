"""What can be wrong with a card. Standard library only."""

from __future__ import annotations


class OverlayError(Exception):
    """A card cannot be drawn as it stands; the message is one sentence for the operator."""


class MissingGlyph(OverlayError):
    """No font at hand draws a character, or draws it right only with shaping."""

    def __init__(self, character: str, text: str) -> None:
        self.character = character
        self.text = text
        point = f"U+{ord(character):04X}"
        super().__init__(f"no font draws {character!r} ({point}) in {text!r}")


class BrokenImage(OverlayError):
    """A card's picture cannot be decoded, or is larger than the limits."""


class BadPrice(OverlayError):
    """An amount or currency that cannot be shown as a price."""
