"""The knobs: what each decision is made by."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.engine.knobs import DENSITY_SCALE, Knobs
from improviser.midi.message import NoteOn
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET
from tests.actors import Indifferent

VALUES = (np.zeros(ACTION_COUNT, dtype=np.float32), np.zeros((3, ACTION_COUNT), dtype=np.float32))


def test_density_is_a_preference_on_onsets() -> None:
    """At 1 nothing is added; at 2 each onset is worth DENSITY_SCALE more, at 0 as much less."""
    for density, expected in ((1.0, 0.0), (2.0, DENSITY_SCALE), (0.0, -DENSITY_SCALE)):
        value = Knobs(density=density).to_mix().value(VALUES)
        assert [pytest.approx(expected)] == list(set(value[FIRST_ONSET:].tolist()))
        assert [0, 0] == value[:FIRST_ONSET].tolist()


def test_a_component_is_turned_from_against_it_to_four_times() -> None:
    """At 1 a knob stands where it stood; a component goes from -1 to 4 times, the others from 0 to 2."""
    knobs = Knobs(harmony=0.5, temperature=0.2, density=0.8)
    assert knobs == knobs.turned("harmony", 1.0)
    assert [-0.5, -0.0625, 0.5, 2.0] == [knobs.turned("harmony", at).harmony for at in (0.0, 0.5, 1.0, 2.0)]
    turned = knobs.turned("temperature", 2.0).turned("density", 2.0)
    assert (0.4, 2.0) == (turned.temperature, turned.density)
    assert (0.5, 1.0, 1.0) == (turned.harmony, turned.coherence, turned.creativity)


def test_settings_say_where_they_stand() -> None:
    """The knobs begin where the settings put them."""
    settings = EngineSettings(harmony=0.5, coherence=0.6, creativity=0.7, density=1.2, temperature=0.9)
    assert Knobs(0.5, 0.6, 0.7, 1.2, 0.9, settings.prior_weight) == settings.knobs
    assert settings.knobs == Engine(settings, Indifferent(), np.random.default_rng(0)).knobs


def test_a_turn_acts_at_once() -> None:
    """With a great density every step begins a note, with none at all no step does, from the turn on."""
    engine = Engine(EngineSettings(key="C", temperature=0.01), Indifferent(), np.random.default_rng(0))
    engine.hear(NoteOn(0, 60, 80), 0.0)
    kinds = []
    for density in (2.0, 0.0, 2.0, 0.0):
        engine.turn(Knobs(density=density, temperature=0.01))
        for _ in range(4):
            engine.step(engine.next_step_s or 0.0)
            assert engine.decision is not None
            kinds.append(engine.decision.action >= FIRST_ONSET)
            assert density == engine.decision.knobs.density
    assert [True] * 4 + [False] * 4 + [True] * 4 + [False] * 4 == kinds
