"""What the live window refuses. Standard library only."""

from __future__ import annotations


class WindowError(ValueError):
    """The worker or the shop said what no playlist may say. The window is unchanged."""


class TargetGrown(WindowError):
    """The epoch's segments or parts outgrow the playlist's targets, which never change.

    Only a new window (a new run, sequences carried on) can take this epoch.
    """
