"""Knobs and switches of the engine."""

from __future__ import annotations

import numpy as np
import pytest

from improviser import protocol as control
from improviser.config.preset import KnobDefaults as PresetPanel
from improviser.engine import Engine, EngineSettings
from improviser.engine.decision_values import DecisionValues
from improviser.engine.panel import ECHO_SCALE, HIGHEST, KNOBS, NEUTRAL, SWITCHES, Panel
from improviser.engine.preference_features import COMPING_TRAITS, TUNE_TRAITS
from improviser.midi.message import NoteOn
from improviser.playing.actions import FIRST_ONSET
from improviser.protocol import Action, Knob
from tests.actors import Indifferent, pulse
from tests.sessions import TEMPO, make_engine, note, ons, steps, tell


def settled(**positions: float) -> Panel:
    """Return a panel whose knobs have reached their positions."""
    panel = Panel(DecisionValues(), 4)
    for knob, position in positions.items():
        panel.turn(knob, position)
    for _ in range(8):
        panel.glide()
    return panel


def test_as_the_preset_has_it_nothing_is_changed() -> None:
    """With all knobs at 1 the preset's knobs, register, features and the player's velocity are unchanged."""
    preset = DecisionValues(harmony=0.7, density=1.3)
    panel = Panel(preset, 4)
    panel.glide()
    assert preset == panel.knobs
    assert (0, 1.0) == (panel.shift, panel.touch)
    assert panel.bias(TUNE_TRAITS) is None
    assert [1.0] * len(KNOBS) == [panel.position(knob) for knob in KNOBS]


def test_each_knob_has_its_effect() -> None:
    """Decision knobs act as in Knobs.turned; register by octaves, velocity by halves, echo by its feature."""
    panel = settled(harmony=2.0, register=2.0, velocity=0.0, echo=2.0)
    assert DecisionValues().turned("harmony", 2.0) == panel.knobs
    assert (12, 0.5) == (panel.shift, panel.touch)
    leans, comping = panel.bias(TUNE_TRAITS), panel.bias(COMPING_TRAITS)
    assert leans is not None
    assert comping is not None
    leaning = dict(zip(TUNE_TRAITS.names, leans.tolist(), strict=True))
    assert {name: pytest.approx(ECHO_SCALE if name == "echo" else 0.0) for name in leaning} == leaning
    assert not comping.any()
    assert -12 == settled(register=0.0).shift


def test_the_register_is_moved() -> None:
    """With the register knob at its end every note is an octave higher."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(0.0))
    before = {pitch for _, pitch in ons(steps(engine, 16))}
    engine.panel.turn("register", 2.0)
    steps(engine, 16)
    assert {pitch + 12 for pitch in before} == {pitch for _, pitch in ons(steps(engine, 16))}


def test_velocity_is_scaled() -> None:
    """The velocity knob plays louder or softer than the player."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(0.0))
    loud = {"before": 0, "after": 0}
    for moment in loud:
        notes = [timed.message for timed in steps(engine, 16) if isinstance(timed.message, NoteOn)]
        loud[moment] = max(one.velocity for one in notes)
        engine.panel.turn("velocity", 2.0)
        steps(engine, 16)
    assert loud["before"] < loud["after"] <= 1.5 * loud["before"] + 1


def test_mute_is_silent_and_goes_on_afterwards() -> None:
    """Mute ends the sounding note with the next step, and bars are still counted."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    steps(engine, 4)
    assert engine.switch("mute", 1.0)
    assert [] == ons(steps(engine, 28))
    assert not engine.switch("mute", 2.0)
    assert [60] == [pitch for _, pitch in ons(steps(engine, 1))]
    assert engine.decision is not None
    assert 32 == engine.decision.step


def test_solo_does_not_wait() -> None:
    """Solo begins without the player and plays on through silence; without it the engine waits again."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    assert engine.next_step_s is None
    assert engine.switch("solo", 3.0)
    assert 3.0 == engine.next_step_s
    assert 8 <= len(ons(steps(engine, 8 * 16)))
    engine.switch("solo", 99.0)
    steps(engine, 1)
    assert engine.next_step_s is None


def test_echo_prefers_what_the_player_did() -> None:
    """A high echo knob takes up the player's turn more often than a low one."""

    def share(position: float) -> float:
        """Return the share of onsets that continue as the player did."""
        engine = Engine(
            EngineSettings(key="C", tempo_bpm=TEMPO, temperature=0.15, patience_bars=0),
            Indifferent(),
            np.random.default_rng(0),
        )
        engine.panel.turn("echo", position)
        turn = 0
        for place in range(600):
            step_s = engine.next_step_s or 0.0
            engine.hear(NoteOn(0, (60, 62, 65)[place % 3], 80), step_s)
            engine.step(step_s)
            decision = engine.decision
            if decision is not None and decision.choice is not None and decision.action >= FIRST_ONSET:
                turn += int(engine.preferences.last[TUNE_TRAITS.names.index("echo")])
        return turn / 600

    assert share(2.0) > 1.5 * share(0.0)


def test_another_generator_draws_otherwise() -> None:
    """From the next step on another generator gives other notes, and the same one gives the same."""

    def played(seed: int) -> list[tuple[float, int]]:
        """Return what is played after some common steps."""
        engine = tell(make_engine(Indifferent(), key="C", tempo_bpm=TEMPO, temperature=0.5), *note(0.0))
        steps(engine, 8)
        engine.reseed(np.random.default_rng(seed))
        return ons(steps(engine, 16))

    assert played(1) == played(1) != played(2)


def test_the_names_are_the_same_everywhere() -> None:
    """The knobs have the same names in the engine, between processes, and in preset files."""
    assert set(KNOBS) == {str(knob) for knob in Knob if knob is not Knob.TEMPO}
    assert set(KNOBS) == {field.alias or name for name, field in PresetPanel.model_fields.items()}
    assert set(SWITCHES) < {str(action) for action in Action}
    assert (NEUTRAL, HIGHEST) == (control.NEUTRAL, control.TURNS_MAX)
