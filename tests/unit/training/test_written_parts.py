"""Players and partners from pieces of named parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from improviser.corpus.casting import ACCOMPANIMENT, BASS, COUNTER, MELODY
from improviser.engine.role import BASS as BASS_ROLE
from improviser.engine.role import COMPING
from improviser.listening.line import HOLD, NONE, REST
from improviser.listening.observation import STYLES
from improviser.music.chord import NO_CHORD, QUALITY_COUNT
from improviser.training.grid import UNKNOWN
from improviser.training.written_parts import (
    MOST_BARS,
    PIECE_BARS,
    excerpts,
    lowest_line,
    written_bass,
    written_comping,
    written_parts,
)
from tests.written_piece import C, F, G, piece

# In D: D, G, A7 over C sharp, D; two bars each.
IN_D = piece("a", 2, (2, 0, 2), (7, 0, 7), (9, 4, 1), (2, 0, 2))
SEVENTH = 7 * QUALITY_COUNT + 4


def test_the_tune_and_the_accompaniment_play_in_turn() -> None:
    """Each is the player beside the other; the tonic is C, and each step has its chord."""
    tune, chords = written_parts([IN_D], "pop", 4, None)
    assert ("a:tune-0", "a:chords") == (tune.name, chords.name)
    assert {STYLES.index("pop")} == {tune.style, chords.style}
    assert [72, 77, 79, 72] == tune.player[tune.player >= 0].tolist()
    assert [55, 60, 62, 55] == tune.partner[tune.partner >= 0].tolist()
    assert [72, 77, 79, 72] == chords.partner[chords.partner >= 0].tolist()
    assert [0b10010001, 0b1000100001] == [int(chords.bits[0]), int(chords.bits[16])]
    assert 48 == chords.bass[0]
    expected = [0, 5 * QUALITY_COUNT, SEVENTH, 0]
    assert expected == tune.chords[::16].tolist() == chords.chords[::16].tolist()
    assert {0} == set(tune.keys.tolist())


def test_a_second_tune_is_a_partner_and_a_tune_may_be_alone() -> None:
    """With a counter there is one more partner; alone, the player is absent."""
    rich = piece("b", 0, C, F, parts=(MELODY, COUNTER, ACCOMPANIMENT))
    parts = list(written_parts([rich], "pop", 4, None, has_solos=True))
    assert ["b:tune-0", "b:tune-1", "b:chords", "b:alone"] == [part.name for part in parts]
    assert [76, 81] == parts[0].partner[parts[0].partner >= 0].tolist()
    assert {NONE} == set(parts[-1].player.tolist())
    assert not parts[-1].bits.any()


def test_an_environment_has_each_player_once_in_the_presets_register() -> None:
    """With a register each player is there once; a lead sheet's chords are struck with their bass."""
    sheet = piece("c", 0, C, G, parts=(MELODY,))
    tune, chords = written_parts([sheet], "pop", 4, 55)
    assert (60, 60) == (tune.own_base, chords.own_base)
    assert {NONE} == set(tune.partner.tolist())
    assert (48, 47) == (chords.bass[0], chords.bass[16])


def test_comping_strikes_the_written_chords() -> None:
    """Chords are struck where they change and at bar lines, and rest where none is written, below a tune or all."""
    part, everything = written_comping([piece("d", 0, C, C, (-1, 0, -1), G)], "pop", 4, 48)
    assert part.role is COMPING
    assert [0, 0, REST, SEVENTH] == part.partner[::16].tolist()
    assert {HOLD} == set(part.partner[1:16].tolist())
    assert NO_CHORD == part.chords[32]
    assert (0b1, 0b10010001) == (part.bits[0], everything.bits[0])
    assert part.partner.tolist() == everything.partner.tolist()


def test_only_what_has_a_tune_in_a_plain_meter_is_used() -> None:
    """Pieces without a tune, or in 7/8, are left out."""
    plain = piece("e", 0, C, F)
    others = [piece("f", 0, C, F, parts=(ACCOMPANIMENT, BASS)), replace(plain, meter=(7, 8))]
    assert ["e"] == [excerpt.piece.name for excerpt in excerpts([plain, *others])]


def test_without_chord_symbols_only_the_ear_tells() -> None:
    """The chords are unknown, a lone tune has no player beside it, and nothing can be comped."""
    plain = piece("e", 0, C, F)
    unmarked = replace(plain, chords=plain.chords[:0])
    assert {UNKNOWN} == {chord for part in written_parts([unmarked], "pop", 4, None) for chord in part.chords.tolist()}
    lone = replace(unmarked, voices=plain.voices[:1], parts=(MELODY,))
    assert ["e:tune"] == [part.name for part in written_parts([lone], "pop", 4, 55)]
    assert ["e:alone"] == [part.name for part in written_parts([lone], "pop", 4, None, has_solos=True)]
    assert [] == list(written_comping([unmarked], "pop", 4, 48))


def test_long_pieces_are_cut_and_many_are_thinned_out() -> None:
    """At most so many bars of a piece are used, from different places, and at most so many of all."""
    long = piece("g", 0, *([C, F, G, C] * 20))
    found = excerpts([long] * 3)
    assert [PIECE_BARS * 96] * 3 == [excerpt.ticks for excerpt in found]
    assert [0, 8, 16] == [int(80 - len(excerpt.chords[excerpt.chords[:, 0] >= 0])) for excerpt in found]
    assert len(excerpts([long] * (MOST_BARS // PIECE_BARS + 1))) <= MOST_BARS // PIECE_BARS // 2 + 1
    assert np.array_equal(found[0].melody, excerpts([long])[0].melody)


def test_a_bass_is_below_the_tune_and_below_what_accompanies_it() -> None:
    """A written bass is the partner; else it is the lowest line of the accompaniment, which plays on without it."""
    written = piece("g", 0, C, (0, 0, 4), parts=(MELODY, ACCOMPANIMENT, BASS))
    tune, everything = written_bass([written], "pop", 4, 36)
    assert (BASS_ROLE, 36, "g:tune", "g:all") == (tune.role, tune.own_base, tune.name, everything.name)
    assert [36, 40] == tune.partner[tune.partner >= 0].tolist() == everything.partner[everything.partner >= 0].tolist()
    assert (0b1, 0b10010001) == (int(tune.bits[0]), int(everything.bits[0]))
    found, above = written_bass([piece("h", 0, C, F)], "pop", 4, 36)
    assert [48, 53] == found.partner[found.partner >= 0].tolist()
    assert 52 == above.bass[0]
    assert [] == list(written_bass([piece("i", 0, C, parts=(MELODY,))], "pop", 4, 36))
    (alone,) = written_bass([piece("j", 0, C, parts=(MELODY, BASS))], "pop", 4, 36)
    assert "j:tune" == alone.name


def test_the_lowest_line_is_low_and_below_all() -> None:
    """Notes above C4, notes over one that still sounds, and all but the lowest of a chord are no bass."""
    rows = np.array([[0, 24, 43], [0, 24, 55], [12, 12, 50], [24, 12, 41], [36, 12, 64], [48, 12, 48]])
    assert [0, 3, 5] == np.flatnonzero(lowest_line(rows)).tolist()


def test_bars_without_the_tune_are_left_out() -> None:
    """A piece whose tune rests throughout its excerpt has no parts; of a longer one, other bars may have it."""
    silent = piece("k", 0, *[C] * 60)
    late = silent.voices[0][50:]
    rests = replace(silent, voices=(late, *silent.voices[1:]))
    assert [] == excerpts([rests])
    assert [] == list(written_parts([rests], "lied", 4, None, has_solos=True))
    assert 1 == len(excerpts([silent]))
