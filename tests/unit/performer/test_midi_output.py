"""What leaves: mended clashes, as the journal tells them."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.choices import NoteTiming
from improviser.engine import Engine, EngineSettings
from improviser.midi.message import NoteOff, NoteOn
from improviser.ports.base import LookAheadChanged
from improviser.protocol import Heard, Mended, Played, Stepped, value_to_line
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.performing import BAR_S, ENGINE, START_S, STEP_S, BarNote, Performance, performer_settings, ready

LATE_S = 0.02


@pytest.fixture
def performance() -> Performance:
    """A performance in which the player is late, and plays a B beside our C on the second downbeat."""
    settings = performer_settings(engine={**ENGINE, "timing": str(NoteTiming.ON_GRID)})
    performance = Performance(settings=settings)
    for at_s, note in ((0.0, 76), (BAR_S + LATE_S, 71), (2 * BAR_S + LATE_S, 67)):
        performance.play(at_s, NoteOn(0, note, 80))
        performance.play(at_s + 4 * STEP_S, NoteOff(0, note))
    performance.run(until_s=3 * BAR_S)
    return performance


def test_a_clash_is_mended_and_told(performance: Performance) -> None:
    """Our note ends when the player's note comes, and the event names it, right after the note that was heard."""
    (mended,) = performance.told(Mended)
    assert ((60,), ()) == (mended.ended, mended.struck)
    assert Heard is type(performance.events[performance.events.index(mended) - 1])
    ends = [at_s for at_s, message in performance.sent if message == NoteOff(0, 60)]
    assert pytest.approx(BAR_S + LATE_S) == ends[1]


def test_a_session_with_a_mended_clash_replays(performance: Performance) -> None:
    """The replay plays the same, and an engine that mends nothing does not."""
    settings = performance.settings
    events = (settings, ready(backend="loopback"), *performance.events)
    session = parse_session("".join(map(value_to_line, events)), "test")

    def make_engine(ahead_s: float, **changed: object) -> Engine:
        """Return an engine as in the session, apart from the `changed` settings."""
        given = {"temperature": 0.0, **settings.engine, "ahead_s": ahead_s, **changed}
        return Engine(EngineSettings(**given), BarNote(), np.random.default_rng(settings.seed))

    assert None is replay(session, make_engine).difference
    assert None is not replay(session, lambda ahead_s: make_engine(ahead_s, mends=False)).difference
    assert 3 <= len(performance.told(Played))


def test_a_shorter_look_ahead_takes_nothing_back() -> None:
    """What was sent stays sent when the output needs messages less early, and the journal says so."""
    performance = Performance(settings=performer_settings(engine={**ENGINE, "timing": str(NoteTiming.AFTER_YOU)}))

    def look_ahead(ahead_s: float) -> None:
        """Change how early the output needs messages, as JACK does with its period."""
        performance.virtual.ahead_s = ahead_s
        performance.inbox.put(LookAheadChanged())

    performance.play(0.0, NoteOn(0, 76, 80))
    performance.at(0.0, lambda: look_ahead(0.05))
    performance.play(2 * BAR_S - 0.02, NoteOff(0, 76))
    performance.at(2 * BAR_S - 0.01, lambda: look_ahead(0.005))
    performance.run(until_s=3 * BAR_S)
    through_s = performance.told(Stepped)[round(2 * BAR_S / STEP_S)].through_s
    assert pytest.approx(START_S + 2 * BAR_S - 0.02 + 0.05) == through_s
