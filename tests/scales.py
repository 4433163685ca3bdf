"""Helper for the notes of a key."""

from __future__ import annotations

from improviser.music.scale import SCALE_DEGREES, Key


def in_key(key: Key, note: int) -> bool:
    """Return whether `note` belongs to the key's scale."""
    return (note - key.tonic) % 12 in SCALE_DEGREES[key.mode]
