"""The knobs that every decision uses."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.engine.decision_values import DENSITY_SCALE, DecisionValues
from improviser.engine.panel import Panel
from improviser.midi.message import NoteOn
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET
from tests.actors import Indifferent

VALUES = (np.zeros(ACTION_COUNT, dtype=np.float32), np.zeros((3, ACTION_COUNT), dtype=np.float32))


def test_density_is_a_preference_on_onsets() -> None:
    """At density 1 nothing is added; at 2 each onset is worth DENSITY_SCALE more, at 0 the same less."""
    for density, expected in ((1.0, 0.0), (2.0, DENSITY_SCALE), (0.0, -DENSITY_SCALE)):
        value = DecisionValues(density=density).to_mix().value(VALUES)
        assert [pytest.approx(expected)] == list(set(value[FIRST_ONSET:].tolist()))
        assert [0, 0] == value[:FIRST_ONSET].tolist()


def test_a_component_is_turned_from_against_it_to_four_times() -> None:
    """At 1 a knob changes nothing; a component's weight goes from -1 to 4 times, the others from 0 to 2."""
    knobs = DecisionValues(harmony=0.5, temperature=0.2, density=0.8)
    assert knobs == knobs.turned("harmony", 1.0)
    assert [-0.5, -0.0625, 0.5, 2.0] == [knobs.turned("harmony", at).harmony for at in (0.0, 0.5, 1.0, 2.0)]
    turned = knobs.turned("temperature", 2.0).turned("density", 2.0)
    assert (0.4, 2.0) == (turned.temperature, turned.density)
    assert (0.5, 1.0, 1.0) == (turned.harmony, turned.coherence, turned.creativity)


def test_settings_say_where_they_stand() -> None:
    """The knobs begin at the values of the settings."""
    settings = EngineSettings(harmony=0.5, coherence=0.6, creativity=0.7, density=1.2, temperature=0.9)
    assert DecisionValues(0.5, 0.6, 0.7, 1.2, 0.9, settings.prior_weight) == settings.knobs
    assert settings.knobs == Engine(settings, Indifferent(), np.random.default_rng(0)).panel.knobs


def test_a_turn_glides() -> None:
    """A turn from end to end takes two beats; with a high density each step begins a note, with a low one none."""
    engine = Engine(EngineSettings(key="C", temperature=0.001), Indifferent(), np.random.default_rng(0))
    engine.hear(NoteOn(0, 60, 80), 0.0)
    kinds, densities = [], []
    for density in (2.0, 0.0):
        engine.panel.turn("density", density)
        for _ in range(10):
            densities.append(engine.panel.knobs.density)
            engine.step(engine.next_step_s or 0.0)
            assert engine.decision is not None
            kinds.append(engine.decision.action >= FIRST_ONSET)
    assert [1.0, 1.25, 1.5, 1.75, 2.0, 2.0] == densities[:6]
    assert [2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0] == densities[10:]
    assert [True] * 9 + [True] * 4 == kinds[1:14]
    assert [False] * 5 == kinds[15:]


@pytest.mark.parametrize(("knob", "position"), [("volume", 1.0), ("density", 2.1), ("echo", float("nan"))])
def test_what_is_no_turn_is_refused(knob: str, position: float) -> None:
    """An unknown knob and a position out of range are refused."""
    with pytest.raises(ValueError, match="no knob"):
        Panel(DecisionValues(), 4).turn(knob, position)
