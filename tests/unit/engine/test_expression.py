"""The expression of improviser's notes, and that decisions do not depend on it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from improviser.choices import NoteTiming
from improviser.engine import Engine, EngineSettings
from improviser.engine.bars import Bars
from improviser.engine.expression import REACH_STEPS, Expression
from improviser.engine.role import ROLES
from improviser.errors import UsageError
from improviser.listening.pocket.groove import find_groove
from improviser.listening.pocket.swing import NO_SWING, Swing
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import FIRST_ONSET
from improviser.playing.phrase import Dynamics
from tests.actors import Indifferent, holder, pulse, random_policy
from tests.sessions import BAR_S, STEP_S, TEMPO, make_engine, ons, play_session, sounding_after

LIVELY: Final[dict[str, Any]] = {"key": "C", "tempo_bpm": TEMPO, "temperature": 1.0, "patience_bars": 0}


def expression(**settings: object) -> Expression:
    """Return the expression of bars of 4/4 at 60 beats a minute."""
    chosen = EngineSettings(**{"tempo_bpm": 60.0, **settings})  # type: ignore[arg-type]  # any setting may be given
    return Expression(chosen, Bars(chosen.meter_row, chosen.bar_steps), np.random.default_rng(0))


def player(bars: int, offset_s: float = 0.0, offbeat: float = 0.5, gate: float = 0.5) -> list[TimedMessage]:
    """Return a player of eighths at TEMPO: offbeats at a share of the beat and `offset_s` late, notes of a gate."""
    onsets = [4 * STEP_S * (beat + place) for beat in range(4 * bars) for place in (0.0, offbeat)]
    onsets = [at_s + offset_s * (index % 2) for index, at_s in enumerate(onsets)]
    heard = []
    for index, (at_s, next_s) in enumerate(zip(onsets, [*onsets[1:], onsets[-1] + 1], strict=True)):
        pitch = 60 + index % 5
        off = TimedMessage(at_s + gate * (next_s - at_s), NoteOff(0, pitch))
        heard += [TimedMessage(at_s, NoteOn(0, pitch, 60 + 40 * (index % 2))), off]
    return heard


def test_the_groove_is_expected_from_the_start() -> None:
    """With a groove its swing, offsets and accents are there before the player's; without one improviser's own."""
    funk, plain = expression(groove="funk", follows_swing=True), expression(follows_swing=True)
    assert (find_groove("funk").swing, NO_SWING) == (funk.pocket.swing, plain.pocket.swing)
    assert find_groove("funk").accents[4] == pytest.approx(funk.pocket.at(4).accent)
    assert plain.pocket.at(0).accent > plain.pocket.at(8).accent > plain.pocket.at(1).accent
    with pytest.raises(UsageError, match="no groove"):
        expression(groove="polka")


def test_a_swing_that_was_set_stays() -> None:
    """The settings' swing is played, whatever the groove and the player do."""
    fixed = expression(groove="shuffle", swing=0.55)
    fixed.plan(0, 1.0, is_free=True)
    assert Swing(0.55) == fixed.pocket.swing
    assert 0.55 == pytest.approx(fixed.clock.s_at(0.5))


def test_another_preset_has_another_groove() -> None:
    """After a change the other groove's accents are expected; the player's pocket is kept."""
    shaped = expression()
    shaped.change(EngineSettings(groove="funk"), Bars(EngineSettings().meter_row, 16))
    assert find_groove("funk").accents[4] == pytest.approx(shaped.pocket.at(4).accent)


def test_on_the_grid_only_a_feel_above_one_moves_notes() -> None:
    """Where notes must leave on the grid, they do so up to feel 1; elsewhere feel scales the delay, within bounds."""
    late = find_groove("soul").offsets[1]
    soul = expression(groove="soul")
    delays = []
    for feel, is_free in ((1.0, False), (1.5, False), (0.5, True), (1.0, True), (2.0, True), (0.0, True)):
        soul.plan(1, feel, is_free=is_free)
        delays.append(soul.delay_s)
    assert [0.0, late / 2, late / 2, late, 2 * late, 0.0] == pytest.approx(delays)
    soul.plan(1, 100.0, is_free=True)
    assert REACH_STEPS / 4 == pytest.approx(soul.delay_s)


def test_at_no_feel_nothing_is_drawn() -> None:
    """The plain dynamics come back, and the notes are tied."""
    shaped, plain = expression(), Dynamics(80, 0.5)
    assert plain == shaped.strike(0, 0.0, 0.0, plain, 1)
    assert not shaped.is_detached


def test_detached_notes_end_before_the_next() -> None:
    """A note ends at its gate where the next step ends it, but sounds for a part of the step, and else goes on."""
    shaped = expression()
    for bar in range(8):
        for step in range(16):
            shaped.pocket.hear(NoteOn(0, 60, 80), 4.0 * bar + step / 4, {(0, 60)})
            shaped.pocket.hear(NoteOff(0, 60), 4.0 * bar + step / 4 + 0.1, frozenset())
    while not shaped.is_detached:
        shaped.strike(0, 10.0, 1.0, Dynamics(80, 0.5), 1)
    ends = [shaped.release_s(10.0 + step / 4, 10.25 + step / 4, 1.0) for step in (0, 3)]
    assert ends[0] is not None
    assert ends[1] is not None
    assert 10.07 < ends[0] < 10.25
    assert 10.75 < ends[1] < 11.0
    assert shaped.release_s(10.0, 10.25, 0.0) is None


@pytest.mark.parametrize("timing", [NoteTiming.ON_GRID, NoteTiming.AFTER_YOU])
def test_decisions_do_not_depend_on_feel(timing: NoteTiming) -> None:
    """With a straight player the same notes are played at every feel, and every note ends."""
    lines = []
    for feel in (0.0, 1.0, 2.0):
        engine = make_engine(random_policy(), feel=feel, timing=str(timing), collect_s=0.02, **LIVELY)
        engine.set_timing(timing, 0.0)
        played = play_session(engine, player(12), 12 * BAR_S)
        lines.append([pitch for _, pitch in ons(played)])
        sounding_after([timed for timed in played if isinstance(timed.message, NoteOn | NoteOff)])
    assert lines[0] == lines[1] == lines[2]
    assert len(lines[0]) > 20


def test_it_plays_in_the_players_pocket() -> None:
    """Offbeats that the player plays late and loud are late and loud in ours; at feel 0 they are on the grid."""
    found = {}
    for feel in (0.0, 1.0):
        engine = make_engine(Indifferent(), feel=feel, collect_s=0.02, **LIVELY)
        played = play_session(engine, player(32, offset_s=0.015), 32 * BAR_S)
        rows: dict[int, list[tuple[float, int]]] = {0: [], 2: []}
        for timed in played:
            if isinstance(timed.message, NoteOn) and timed.due_s > 16 * BAR_S:
                step = round((timed.due_s - 0.02) / STEP_S)
                if step % 4 in rows:
                    rows[step % 4].append((timed.due_s - step * STEP_S, timed.message.velocity))
        found[feel] = [np.mean(rows[place], axis=0) for place in (0, 2)]
    beat, offbeat = found[1.0]
    assert 0.008 < offbeat[0] - beat[0] < 0.03
    assert offbeat[1] > beat[1] + 5
    assert 0.0 == pytest.approx(found[0.0][1][0] - found[0.0][0][0], abs=1e-6)
    assert found[0.0][0][1] > found[0.0][1][1]


def test_a_swinging_player_is_followed() -> None:
    """Our offbeats fall where the player's do, unless the swing is set."""
    for follows, expected in ((True, 0.64), (False, 0.5)):
        engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, feel=1.0, follows_swing=follows)
        play_session(engine, player(12, offbeat=0.64), 12 * BAR_S)
        beat = engine.beat_at(12 * BAR_S)
        assert expected == pytest.approx(engine._expression.pocket.swing.share, abs=0.03)  # noqa: SLF001 - what is played
        assert 48.0 == pytest.approx(beat)


@pytest.mark.parametrize("role", ["melody", "comping"])
def test_a_detached_player_is_answered_detached(role: str) -> None:
    """Beside staccato many of our notes end before the next begins, beside legato and at feel 0 hardly one."""
    shares = []
    for feel, gate in ((1.0, 0.4), (1.0, 1.0), (0.0, 0.4)):
        engine = make_engine(random_policy(role=ROLES[role]), feel=feel, role=role, **LIVELY)
        played = play_session(engine, player(24, gate=gate), 24 * BAR_S)
        begun = {timed.due_s for timed in played if isinstance(timed.message, NoteOn)}
        grid = [round(timed.due_s / STEP_S, 3) for timed in played if isinstance(timed.message, NoteOff)]
        shares.append(np.mean([at % 1 > 0.02 and at % 1 < 0.98 for at in grid]))
        assert begun
    assert shares[0] > 0.2
    assert shares[1] < shares[0] / 2
    assert 0.0 == shares[2]


def test_lateness_does_not_matter_to_the_expression() -> None:
    """Two engines of the same seed play the same, however late their steps are called."""
    rng = np.random.default_rng(1)
    first, second = (make_engine(random_policy(), feel=1.0, collect_s=0.02, **LIVELY) for _ in range(2))
    heard = player(12, offset_s=0.02, offbeat=0.6, gate=0.6)
    late = play_session(second, heard, 12 * BAR_S, lateness=lambda: 0.03 * float(rng.random()))
    assert play_session(first, heard, 12 * BAR_S) == late


def test_a_held_note_is_never_cut_while_it_certainly_goes_on() -> None:
    """Where the policy is sure to hold, a detached note sounds on until its last step."""
    engine: Engine = make_engine(holder(), key="C", tempo_bpm=TEMPO, feel=1.0, patience_bars=0)
    played = play_session(engine, player(8, gate=0.3), 8 * BAR_S)
    begun = [timed.due_s for timed in played if isinstance(timed.message, NoteOn)]
    ended = [timed.due_s for timed in played if isinstance(timed.message, NoteOff)]
    assert all(off - on > 14 * STEP_S for on, off in zip(begun[:-1], ended, strict=False))
    assert any(off - on < 16 * STEP_S for on, off in zip(begun[:-1], ended, strict=False))


def test_a_forced_note_ends_early_while_it_only_listens() -> None:
    """In the bar in which improviser only listens nothing would hold a forced note, so a detached one ends early."""
    early = 0
    for seed in range(8):
        engine = make_engine(pulse(), seed=seed, **(LIVELY | {"feel": 2.0, "key": "auto"}))
        engine.hear(NoteOn(0, 60, 80), 0.0)
        for _ in range(12):
            step_s = engine.next_grid_s
            offs = [
                timed.due_s
                for timed in engine.force(FIRST_ONSET) + engine.prepare()
                if isinstance(timed.message, NoteOff)
            ]
            early += any(0.05 < (due_s - step_s) / STEP_S < 0.99 for due_s in offs)
    assert early
