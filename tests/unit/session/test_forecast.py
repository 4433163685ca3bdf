"""The forecast: planned notes are played unless something else is heard, and planning has no side effects."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

import pytest

from improviser.app.jam_settings import JamOptions, performer_settings
from improviser.engine import Engine
from improviser.midi.message import NoteOff, NoteOn
from improviser.performer.assembly import engine_maker
from improviser.protocol import Heard, Lifted, Planned, Stepped
from improviser.session.forecast import AHEAD_BEATS, Forecast, play_ahead
from tests.live import wait_for
from tests.performing import PATIENCE_S, ready

BEAT_S = 0.5


def settled(preset: str, seed: int) -> Engine:
    """Return an engine that has played beside ten bars of quarter notes."""
    engine = engine_maker(performer_settings(JamOptions(preset=preset, tempo_bpm=120.0, seed=seed)))(0.0)
    for beat in range(40):
        engine.hear(NoteOn(0, 60 + beat % 5, 80), beat * BEAT_S)
        engine.hear(NoteOff(0, 60 + beat % 5), beat * BEAT_S + 0.4)
        while (step_s := engine.next_step_s) is not None and step_s < (beat + 1) * BEAT_S - 1e-6:
            engine.step(step_s)
    return engine


def steps(engine: Engine, beats: int) -> list[tuple[float, int, int]]:
    """Play some steps; return beat, note and velocity of each onset."""
    struck = []
    for _ in range(beats * engine.settings.steps_per_beat):
        messages = engine.step(0.0)
        assert engine.decision is not None
        struck += [
            (engine.decision.beat, timed.message.note, timed.message.velocity)
            for timed in messages
            if isinstance(timed.message, NoteOn)
        ]
    return struck


@pytest.mark.parametrize("preset", ["chorale", "fiddle", "comping"])
@pytest.mark.parametrize("seed", [0, 1, 3, 4])  # with 2 the fiddle rests with the player, and nothing is planned
def test_what_is_planned_comes_true(preset: str, seed: int) -> None:
    """Planned notes are played with the same note, beat and velocity; planning twice changes nothing."""
    engine, undisturbed = settled(preset, seed), settled(preset, seed)
    first, planned = play_ahead(engine, 4), play_ahead(engine, 4)
    assert first == planned
    played = steps(engine, 4)
    assert played == [(note["beat"], note["note"], note["velocity"]) for note in planned]
    assert played == steps(undisturbed, 4)
    assert played


def test_a_planned_note_ends_where_the_next_begins_or_goes_on() -> None:
    """A planned note's length is in beats, and is open where it ends after the plan."""
    planned = play_ahead(settled("fiddle", 0), 4)
    lengths = [note["beats"] for note in planned]
    assert all(beats is None or beats > 0 for beats in lengths)
    assert any(beats is not None for beats in lengths)


def told_events() -> list[Any]:
    """Return the events of a performer over two bars of quarter notes."""
    events: list[Any] = [ready(seed=7)]
    for beat in range(8):
        events.append(Heard(beat * BEAT_S, 0, 60 + beat % 5, 80, "A"))
        events.append(Lifted(beat * BEAT_S + 0.4, 0, 60 + beat % 5, "A"))
        events += [Stepped(beat * BEAT_S)] * 4
    return events


class AskedQueue(queue.SimpleQueue[Any]):
    """A queue that counts how often it was asked for an item, so that the test knows which items are done."""

    times = 0

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002 - the queue's own
        """Count the call, and return the next item."""
        self.times += 1
        return super().get(block, timeout)


def forecast_of(events: list[Any], *, is_watched: bool = True, **options: Any) -> list[Planned]:  # noqa: ANN401
    """Pass events to a forecast, each after the one before is done; return its plans."""
    told: list[Planned] = []
    settings = performer_settings(JamOptions(preset="chorale", tempo_bpm=120.0, seed=7, **options))
    forecast = Forecast(settings, told.append, lambda: is_watched, pytest.fail)
    # The result depends on who keeps up, so each event waits until the one before it is done.
    forecast._events = asked = AskedQueue()  # noqa: SLF001
    with forecast:
        for place, event in enumerate(events):
            forecast.enqueue(event)
            wait_for(lambda place=place: asked.times > place + 1, "the event before")  # type: ignore[misc] # this turn's
    return told


def test_a_plan_is_told_on_each_beat_while_somebody_looks() -> None:
    """While somebody watches a plan of two beats is sent on each beat; otherwise nothing is planned."""
    planned = forecast_of(told_events())
    assert 6 <= len(planned) <= 8
    assert [0.25] * len(planned) == pytest.approx([plan.beat % 1 for plan in planned])
    assert all(0 <= note["beat"] - plan.beat < AHEAD_BEATS for plan in planned for note in plan.notes)
    assert [] == forecast_of(told_events(), is_watched=False)


def test_before_the_music_begins_nothing_is_loaded() -> None:
    """Before the music begins no model is loaded, and no thread remains afterwards."""
    assert [] == forecast_of([ready()])
    assert not [thread for thread in threading.enumerate() if thread.name == "forecast"]


def test_a_model_that_is_gone_ends_the_forecast_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing model is reported and ends only the forecast; later events are dropped."""
    monkeypatch.setattr("improviser.config.preset.Preset.model_path", property(lambda _: Path("/nowhere")))
    settings = performer_settings(JamOptions(preset="chorale"))
    warned: list[str] = []
    with Forecast(settings, lambda _: None, lambda: True, warned.append) as forecast:
        for event in (ready(), Heard(0.0, 0, 60, 80, "A")):
            forecast.enqueue(event)
        forecast._thread.join(PATIENCE_S)  # noqa: SLF001 - its end is reported to nobody
        assert not forecast._thread.is_alive()  # noqa: SLF001
        forecast.enqueue(Heard(0.0, 0, 60, 80, "A"))
        assert forecast._events.empty()  # noqa: SLF001
    assert 1 == len(warned)
    assert "what it plans is not shown any more" in warned[0]


def test_a_forecast_that_is_far_behind_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forecast that is too far behind stops and keeps no further events."""
    monkeypatch.setattr("improviser.session.forecast.BEHIND_MAX", 10)
    forecast = Forecast(performer_settings(JamOptions()), lambda _: None, lambda: True, pytest.fail)
    for _ in range(100):
        forecast.enqueue(Heard(0.0, 0, 60, 80, "A"))
    assert 11 == forecast._events.qsize()  # noqa: SLF001
