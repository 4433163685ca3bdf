"""The simulated player: how it changes a part, and how the result is heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from improviser.listening.line import HOLD, REST
from improviser.listening.observation import COLUMNS, SURE
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_BITS
from improviser.training.features import player_table
from improviser.training.grid import DUETS, TRIOS, Part, alone, chorale_parts, sounding, tune_parts
from improviser.training.key_by_ear import with_heard_keys
from improviser.training.part_edit import transposed
from improviser.training.simulated import behave, simulated, with_unheard
from tests.tiny_corpus import chorale, to_events, tune

AT = 16 * 16


def soprano(bars: int = 32) -> Part:
    """Return a player of quarters in C major."""
    return next(chorale_parts([chorale(bars=bars)], "chorale", 4, casts=DUETS[:1]))


def test_the_key_is_heard_not_known() -> None:
    """C major is heard and, some time after a change of key, the new key; then it is surer than at first."""
    (part,) = tune_parts([tune(bars=32)], "fiddle", 4, 60)
    (heard,) = with_heard_keys([transposed(part, AT, 3)])
    assert 0 == heard.keys[AT - 1]
    assert 3 == heard.keys[-1]
    assert 0 == heard.keys[AT]
    assert heard.certainty[0] < heard.certainty[-1] >= SURE - 1


def test_what_is_late_is_not_seen_in_its_step() -> None:
    """A late note is no onset yet in its step's observation, and is in its place one step later."""
    part = replace(soprano(2), is_late=np.arange(32) == 4)
    late, known = player_table([part]), player_table([soprano(2)])
    tokens = COLUMNS["player_tokens"]
    assert HOLD + 1 == late.observation[4, tokens][-1]  # token 0: it continues
    assert np.array_equal(known.observation[5, tokens], late.observation[5, tokens])
    assert np.array_equal(known.note, late.note)
    assert (72, 74) == (late.seen[4], late.note[4])
    assert np.array_equal(known.bits, late.bits)


def test_about_so_much_is_late() -> None:
    """About a seventh of the onsets is late, and nothing else."""
    part = with_unheard(soprano(200), np.random.default_rng(0))
    assert not part.is_late[part.player < 0].any()
    assert 0.1 < np.mean(part.is_late[part.player >= 0]) < 0.2


def test_people_do_it_all() -> None:
    """Among many players some pause, repeat, make mistakes, come late or modulate; lengths stay."""
    rng = np.random.default_rng(0)
    plain = soprano(8)
    made = [behave(plain, rng) for _ in range(60)]
    assert {len(plain.player)} == {len(part.player) for part in made}
    bars = [part.player.reshape(-1, 16) for part in made]
    assert any((bar == REST).all() for bar in np.concatenate(bars))
    struck = [np.flatnonzero(part.player >= 0) for part in made]
    assert any((at % 4).any() for at in struck)
    foreign = [np.mean((SCALE_BITS[0] >> part.player[part.player >= 0] % OCTAVE) & 1 == 0) for part in made]
    assert 0 < np.median(foreign) < 0.5
    assert min(foreign) == 0
    assert any(set(part.keys.tolist()) - {0} for part in with_heard_keys(made))


def test_what_sounds_goes_with_the_notes() -> None:
    """In a single voice the set and the bass always match the note."""
    rng = np.random.default_rng(1)
    for _ in range(40):
        part = behave(soprano(6), rng)
        assert np.array_equal(sounding([part.player])["bits"], part.bits)
        assert np.array_equal(sounding([part.player])["bass"], part.bass)


def test_a_player_of_chords_keeps_the_bass_below() -> None:
    """With several voices the bass is one of the sounding notes, or none in silence."""
    rng = np.random.default_rng(2)
    trio = next(chorale_parts([chorale()], "chorale", 4, casts=TRIOS[:1]))
    for _ in range(40):
        part = behave(trio, rng)
        sounds = part.bits > 0
        assert np.array_equal(sounds, part.bass >= 0)
        assert ((part.bits[sounds] >> part.bass[sounds] % OCTAVE) & 1).all()


def test_the_parts_themselves_stay() -> None:
    """All parts stay, and a share of them also gets a simulated player; an absent player gets none."""
    parts = [soprano(4), *tune_parts([tune()], "fiddle", 4, 60), alone(soprano(4))]
    plain = simulated(parts, 0.0, np.random.default_rng(0))
    doubled = simulated(parts, 1.0, np.random.default_rng(0))
    assert parts == plain
    assert (5, *parts) == (len(doubled), doubled[0], doubled[2], doubled[4])


def test_a_short_part_is_no_trouble() -> None:
    """A part of two bars can be changed in all ways; a silent player has no key."""
    short = soprano(2)
    for seed in range(30):
        assert 32 == len(behave(short, np.random.default_rng(seed)).player)
    silent = replace(short, player=to_events("-", 32), bits=short.bits * 0)
    assert np.array_equal(silent.keys, with_heard_keys([silent])[0].keys)
