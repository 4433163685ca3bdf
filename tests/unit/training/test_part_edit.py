"""Changes to a player's part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from improviser.listening.line import HOLD, REST, SILENT
from improviser.music.chord import CHORD_COUNT, QUALITY_COUNT
from improviser.training.grid import DUETS, TRIOS, UNKNOWN, Part, chorale_parts, sounding, with_chart
from improviser.training.part_edit import (
    rearranged,
    transposed,
    with_late_notes,
    with_rest,
    with_wrong_notes,
)
from tests.tiny_corpus import chorale, to_events


def written(text: str) -> Part:
    """Return a player in C whose part is given by `text`."""
    events = to_events(text)
    duet = next(iter(chorale_parts([chorale()], "chorale", 4, casts=DUETS[:1])))
    return replace(duet, player=events, **sounding([events]), partner=events.copy())


def test_rearranged() -> None:
    """Steps come in the new order; a note held from another step is struck again, and silence stays."""
    part = written("60 . 62 . - .")
    again = rearranged(part, np.array([0, 1, 1, 3, 4, 2]))
    assert [60, HOLD, 60, 62, REST, 62] == again.player.tolist()
    assert [60, 60, 60, 62, SILENT, 62] == again.bass.tolist()
    assert [REST] == rearranged(part, np.array([5])).player.tolist()


def test_the_bass_goes_along() -> None:
    """Everything that sounds is transposed, also the bass; silence stays."""
    (part,) = chorale_parts([chorale(bars=2)], "chorale", 4, casts=TRIOS[:1])
    higher = transposed(part, 8, 5)
    assert np.array_equal(part.bass[:8], higher.bass[:8])
    assert np.array_equal(part.bass[8:] + 5, higher.bass[8:])
    assert [SILENT, 65] == transposed(written("- 60"), 0, 5).bass.tolist()


def test_a_rest_at_the_end() -> None:
    """A rest beyond the end leaves the last step, struck again."""
    rested = with_rest(written("60 . . . " * 5), 16, 4)
    assert [REST] * 3 + [60] == rested.player[16:].tolist()
    assert [SILENT] * 3 + [60] == rested.bass[16:].tolist()


def test_a_wrong_note_in_the_bass() -> None:
    """In a single voice a wrong note is also the bass."""
    wrong = with_wrong_notes(written("60 . 62 . " * 50), 0, 0.5, np.random.default_rng(0))
    assert np.array_equal(sounding([wrong.player])["bass"], wrong.bass)


def test_late_notes() -> None:
    """A long note comes a step late; a short note, and the first one, keep their place."""
    part = written("60 . 62 . 64 65 . .")
    late = with_late_notes(part, 1.0, np.random.default_rng(0))
    assert [60, HOLD, HOLD, 62, 64, HOLD, 65, HOLD] == late.player.tolist()
    assert np.array_equal(sounding([late.player])["bits"], late.bits)
    assert np.array_equal(sounding([late.player])["bass"], late.bass)
    after_silence = with_late_notes(written("- - 62 ."), 1.0, np.random.default_rng(0))
    assert [REST, 62] == after_silence.player[2:].tolist()
    assert [0, 1 << 2] == after_silence.bits[2:].tolist()


def test_about_the_share_is_late() -> None:
    """About the given share of notes is late."""
    part = written("60 . 62 . " * 500)
    late = with_late_notes(part, 0.2, np.random.default_rng(0))
    assert 0.15 < np.mean(late.player[2::2] != part.player[2::2]) < 0.25


def test_chords_and_chart_go_along() -> None:
    """Moved and repeated steps keep their chords; a chart says the same, and no chart stays none."""
    (part,) = chorale_parts([chorale(bars=2)], "chorale", 4, casts=TRIOS[:1])
    higher = transposed(part, 16, 2)
    assert part.chords[:16].tolist() == higher.chords[:16].tolist()
    assert ((part.chords[16:] + 2 * QUALITY_COUNT) % CHORD_COUNT).tolist() == higher.chords[16:].tolist()
    assert {UNKNOWN} == set(higher.given.tolist())
    again = rearranged(with_chart(part), np.arange(16))
    assert part.chords[:16].tolist() == again.chords.tolist() == again.given.tolist()
