"""The notes that sound, in memory shared by two processes."""

from __future__ import annotations

import os

import pytest

from improviser.ipc import shared_state


def test_the_supervisor_sees_what_the_performer_marks() -> None:
    """A note marked through the descriptor is visible until it is unmarked."""
    shared = shared_state.SharedState()
    cells = shared_state.open_shared(shared.descriptor)
    shared_state.mark(cells, 0, 60, sounds=True)
    shared_state.mark(cells, 15, 127, sounds=True)
    assert [(0, 60), (15, 127)] == shared.sounding()
    shared_state.mark(cells, 0, 60, sounds=False)
    assert [(15, 127)] == shared.sounding()
    shared.close()
    shared.close()
    assert [] == shared.sounding()


@pytest.mark.parametrize("descriptor", [None, 10_000])
def test_without_shared_memory_the_performer_keeps_its_own(descriptor: int | None) -> None:
    """An invalid or empty descriptor gives memory of the process's own."""
    cells = shared_state.open_shared(descriptor)
    shared_state.mark(cells, 1, 1, sounds=True)
    assert isinstance(cells, bytearray)


def test_a_file_serves_where_there_is_no_memory_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems without memfd_create an unnamed file is shared."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    shared = shared_state.SharedState()
    shared_state.mark(shared_state.open_shared(shared.descriptor), 2, 3, sounds=True)
    assert [(2, 3)] == shared.sounding()
    shared.close()


def test_without_any_memory_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no memory can be created the jam runs without shared state."""

    def refuse() -> int:
        """Raise OSError."""
        raise OSError

    monkeypatch.setattr(shared_state, "_anonymous_file", refuse)
    shared = shared_state.SharedState()
    assert (None, []) == (shared.descriptor, shared.sounding())
    shared.close()


def test_the_newest_place_is_seen() -> None:
    """The newer of two alternating slots is read; one that was incomplete when the performer was killed is ignored."""
    shared = shared_state.SharedState()
    cells = shared_state.open_shared(shared.descriptor)
    assert shared.position() is None
    places = [shared_state.JamPosition(1.0, number, 2.0 * number, 90.0) for number in range(1, 5)]
    for number, place in enumerate(places, 1):
        shared_state.mark_position(cells, number, place)
        assert place == shared.position()
    assert (0, []) == (shared.pulse(), shared.sounding())
    torn = bytes(cells[:])
    shared_state.mark_position(cells, 5, places[0])
    # Of its four numbers the last three were not written yet.
    cells[shared_state.SIZE - 24 :] = torn[shared_state.SIZE - 24 :]
    assert places[3] == shared.position()
    shared.close()
    assert shared.position() is None


def test_the_heartbeat_is_seen_and_is_no_note() -> None:
    """The heartbeat changes each time, wraps around, and is no note."""
    shared = shared_state.SharedState()
    cells = shared_state.open_shared(shared.descriptor)
    assert 0 == shared.pulse()
    shared_state.mark_heartbeat(cells, 300)
    assert (44, []) == (shared.pulse(), shared.sounding())
    shared.close()
    assert 0 == shared.pulse()
