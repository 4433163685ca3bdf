"""Steps that were played, and what there is to learn from them."""

from __future__ import annotations

from improviser.midi.message import NoteOn
from tests.actors import pulse
from tests.sessions import make_engine, steps


def test_steps_are_settled_in_order_and_returned_once() -> None:
    """After some steps those of which all is heard are returned, with rewards from the first own step on."""
    engine = make_engine(pulse(), key="C", tempo_bpm=120.0)
    engine.hear(NoteOn(0, 60, 80), 0.0)
    steps(engine, 8)
    settled = engine.take_settled()
    assert [0, 1, 2, 3, 4, 5] == [step.decision.step for step in settled]
    assert all(step.rewards() for step in settled)
    assert [] == engine.take_settled()


def test_before_our_line_begins_there_is_nothing_to_judge() -> None:
    """In the bar in which improviser only listens a step has no rewards."""
    engine = make_engine(pulse(), tempo_bpm=120.0)
    engine.hear(NoteOn(0, 60, 80), 0.0)
    steps(engine, 4)
    assert [None, None] == [step.rewards() for step in engine.take_settled()]
