"""Helper for reading the note window step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from improviser.listening.window import HeardStep, NoteWindow


def taken(window: NoteWindow, since_s: float) -> HeardStep:
    """Close the step that began at about `since_s`, and return what was played in it."""
    heard = window.peek(since_s)
    window.close_step(since_s)
    return heard
