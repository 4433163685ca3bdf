"""Corpus voices on the step grid."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.line import NONE, SILENT
from improviser.listening.observation import STYLES
from improviser.music.meter import METERS, Meter
from improviser.training.grid import (
    ALTO,
    BASS,
    DUETS,
    SOLOS,
    SOPRANO,
    TRIOS,
    alone,
    chorale_parts,
    sounding,
    tune_parts,
    voice_base,
    voice_events,
)
from tests.tiny_corpus import SIXTEENTH, chorale, to_events, to_voice, tune


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ([(0, 2, 60), (2, 1, 62)], "60 . 62 -"),
        ([(0, 1, 60), (1, 3, 60)], "60 60 . ."),
        ([(0.4, 1, 60), (1.6, 1, 62)], "60 - 62 -"),  # to the nearest step
        ([(0.5, 1, 60), (1.5, 1, 62)], "- 60 62 -"),  # from halfway on to the later one
        ([(0, 0.5, 60), (0.5, 0.5, 61), (1, 0.5, 62), (1.5, 0.5, 63), (2, 0.5, 64)], "60 62 64 -"),
        ([(0, 0.5, 60), (0.25, 1.75, 62)], "62 . - -"),  # of two on a step the later
        ([(0, 1, 60), (0.9, 0.25, 61), (1.15, 2.85, 62)], "60 62 . ."),
        ([(0, 1, 60), (1, 0.5, 62), (1.25, 0.25, 64)], "60 62 - -"),  # too short to take over
        ([(0, 0.25, 60)], "60 - - -"),  # short, but alone on its step
        ([(3.9, 0.1, 60)], "- - - 60"),  # not beyond the end
        ([], "- - - -"),
    ],
)
def test_voice_events(notes: list[tuple[float, float, int]], expected: str) -> None:
    """Onsets go to steps, and notes hold until they end."""
    events = voice_events(to_voice(*notes), 4, SIXTEENTH, 0)
    assert to_events(expected).tolist() == events.tolist()


def test_voice_events_on_triplets() -> None:
    """Three steps a beat represent triplets exactly, moved by the shift."""
    third = 4 / 3
    events = voice_events(to_voice((0, third, 60), (third, third, 62), (2 * third, third, 64)), 3, 8, -2)
    assert [58, 60, 62] == events.tolist()


def test_sounding() -> None:
    """A pitch class is in the set, and its note may be the bass, from its onset to its end."""
    upper, lower = to_events("72 . - 67 ."), to_events("- 52 . . -")
    heard = sounding([upper, lower])
    assert [0b1, 0b1_0001, 0b1_0000, 0b1001_0000, 0b1000_0000] == heard["bits"].tolist()
    assert [72, 52, 52, 52, 67] == heard["bass"].tolist()


def test_sounding_before_the_first_note() -> None:
    """Holds before the first note are silence."""
    heard = sounding([to_events(". . 62")])
    assert ([0, 0, 1 << 2], [SILENT, SILENT, 62]) == (heard["bits"].tolist(), heard["bass"].tolist())


def test_sounding_of_nobody() -> None:
    """An empty list of voices is refused."""
    with pytest.raises(ValueError, match="at least one voice"):
        sounding([])


def test_voice_base() -> None:
    """A voice's tokens count from the tonic that puts its mean into the middle of three octaves."""
    assert [48, 60, 0] == [voice_base(to_events(text)) for text in ("66 66", "78 . 80", "- .")]


def test_casts() -> None:
    """The casts are every ordered pair, one player per partner, and each voice against the three others."""
    assert (12, 4, 4) == (len(DUETS), len(SOLOS), len(TRIOS))
    assert ((SOPRANO,), BASS) in DUETS
    assert all(own not in players for players, own in DUETS + SOLOS + TRIOS)


def test_chorale_parts() -> None:
    """A part has the player's top voice, all that the player sounds, and the partner, with C as the tonic."""
    piece = chorale(tonic=2, bars=2)
    casts = (((SOPRANO, ALTO), BASS),)
    (part,) = chorale_parts([piece], "chorale", 4, casts=casts)
    assert f"{piece.name}:B-with-SA" == part.name
    assert to_events("72 . . . 74 . . .").tolist() == part.player[:8].tolist()
    assert [0b1_0001] * 2 + [0b10_0001] * 2 == part.bits[:4].tolist()
    assert [48, 43] == part.partner[part.partner >= 0].tolist()
    assert (STYLES.index("chorale"), 0, METERS.index(Meter(4, 4)), 16) == (
        part.style,
        part.mode,
        part.meter,
        part.bar_steps,
    )
    assert (voice_base(part.player), voice_base(part.partner)) == (part.player_base, part.own_base)
    assert {32} == {len(part.player), len(part.bits), len(part.partner)}


def test_speed() -> None:
    """At double speed a quarter is an eighth, and there are half as many bars."""
    (slow,) = chorale_parts([chorale(bars=4)], "fiddle", 4, casts=DUETS[:1])
    (fast,) = chorale_parts([chorale(bars=4)], "fiddle", 4, speed=2, casts=DUETS[:1])
    assert (64, 32) == (len(slow.player), len(fast.player))
    assert slow.player[slow.player >= 0].tolist() == fast.player[fast.player >= 0].tolist()


@pytest.mark.parametrize(("tonic", "moved"), [(0, 0), (5, -5), (6, -6), (7, 5), (11, 1)])
def test_the_tonic_is_moved_to_c(tonic: int, moved: int) -> None:
    """Pieces move by at most six semitones."""
    piece = tune(tonic=tonic)
    (part,) = tune_parts([piece], "fiddle", 4, None)
    assert piece.voices[0][0, 2] + moved == part.partner[0]
    assert 0 == part.partner[0] % 12


def test_tune_alone() -> None:
    """A tune to imitate has an absent player, and its own register."""
    (part,) = tune_parts([tune()], "fiddle", 4, None)
    assert (part.player == NONE).all()
    assert not part.bits.any()
    assert to_events("60 . 64 . 67 65 64 . 72 . . . 71 . - -").tolist() == part.partner[:16].tolist()
    assert voice_base(part.partner) == part.own_base


def test_tune_as_player() -> None:
    """A tune as the player has an absent partner, whose register is the preset's."""
    (part,) = tune_parts([tune()], "fiddle", 4, 55)
    assert (part.partner == NONE).all()
    assert (60, 64) == (part.own_base, part.player[2])
    assert sounding([part.player])["bits"].tolist() == part.bits.tolist()


def test_alone() -> None:
    """A part without its player keeps its partner."""
    (part,) = chorale_parts([chorale()], "chorale", 4, casts=DUETS[:1])
    solo = alone(part)
    assert (solo.player == NONE).all()
    assert not solo.bits.any()
    np.testing.assert_array_equal(part.partner, solo.partner)
    assert part.own_base == solo.own_base == solo.player_base
