"""Following the JACK transport: the performer's beat, with a manual clock."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.choices import ClockUse
from improviser.engine import Engine, EngineSettings
from improviser.errors import UsageError
from improviser.midi.message import START, NoteOn
from improviser.performer.clock.jack_sync import watch_jack
from improviser.performer.inbox import Inbox
from improviser.ports.jack_transport import JackPlace
from improviser.ports.loopback import LoopbackBackend
from improviser.protocol import (
    Act,
    Action,
    Detached,
    Halted,
    Knob,
    Notice,
    PlayerUse,
    Recounted,
    Refused,
    Started,
    Synced,
    Turn,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.performing import ENGINE, START_S, BarNote, Performance, hanging, ons, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock

ON = NoteOn(0, 60, 80)
COMMON = (4, 4)


def hear(  # noqa: PLR0913 - the fields of a place
    performance: Performance,
    at_s: float,
    beat: float | None,
    tempo_bpm: float = 120.0,
    meter: tuple[int, int] | None = COMMON,
    *,
    is_rolling: bool = True,
    position_s: float = 0.0,
) -> None:
    """Report a place of the transport to the performance."""
    if beat is None:
        tempo_bpm, meter = 0.0, None
    place = JackPlace(START_S + at_s, is_rolling, position_s, beat, tempo_bpm, meter)
    performance.at(at_s, lambda: performance.inbox.put(place))


def texts(performance: Performance) -> list[str]:
    """Return the notices."""
    return [notice.text for notice in performance.told(Notice)]


@pytest.mark.parametrize("use", [ClockUse.AUTO, ClockUse.JACK])
def test_a_timebase_master_starts_paces_and_stops(use: ClockUse) -> None:
    """The improviser begins at the master's bar line, follows its tempo, and stops with the transport."""
    performance = Performance(performer_settings(clock=use))
    hear(performance, 0.5, 2.5, is_rolling=False)
    hear(performance, 1.0, 2.5)
    hear(performance, 4.0, 8.5, 60.0)
    hear(performance, 12.0, 16.5, 60.0, is_rolling=False)
    performance.play(12.5, ON)
    hear(performance, 15.0, 16.0)
    performance.run(until_s=16.5)
    assert [1.75, 3.75, 7.5, 11.5, 15.0] == pytest.approx(ons(performance), abs=0.002)
    assert ["JACK"] == [event.by for event in performance.told(Halted)]
    assert {"jack"} == {event.clock for event in performance.told(Synced)}
    assert not performance.told(Recounted)
    assert not hanging(performance)


def test_a_loop_and_a_locate_go_on_on_the_new_grid() -> None:
    """A jump counts the beat anew, and the music goes on without a start."""
    performance = Performance()
    hear(performance, 1.0, 0.0)
    hear(performance, 5.0, 4.0)
    hear(performance, 6.9, 17.8)
    performance.run(until_s=10.9)
    assert [1.0, 3.0, 5.0, 8.0, 10.0] == pytest.approx(ons(performance), abs=0.002)
    assert [(4.0, COMMON), (17.8, COMMON)] == [(event.beat, event.meter) for event in performance.told(Recounted)]
    assert 1 == len(performance.told(Started))


def test_small_differences_are_corrections() -> None:
    """A beat that is slightly off moves the grid without counting anew."""
    performance = Performance()
    hear(performance, 1.0, 0.0)
    hear(performance, 2.0, 2.02)
    performance.run(until_s=3.5)
    assert [1.0, 2.99] == pytest.approx(ons(performance), abs=0.002)
    assert not performance.told(Recounted)


def test_the_masters_meter_is_used() -> None:
    """The meter at the start and its changes are the master's."""
    performance = Performance()
    hear(performance, 1.0, 0.0, meter=(3, 4))
    hear(performance, 4.0, 10.0, meter=(5, 4))
    performance.run(until_s=8.9)
    # A bar of 5/4 is counted as bars of 3/4 and 2/4.
    assert [1.0, 2.5, 4.0, 5.5, 6.5, 8.0] == pytest.approx(ons(performance), abs=0.002)
    assert [(3, 4), (5, 4)] == [event.meter for event in performance.told(Recounted)]


@pytest.mark.parametrize(
    ("meter", "steps_per_beat", "text"),
    [
        ((5, 32), 4, "bars of 5/32 cannot be counted. The improviser goes on in 4/4"),
        ((7, 8), 3, "a bar of 7/8 does not fit a grid of 3 a beat; choose 2 or 4. The improviser goes on in 4/4"),
    ],
)
def test_a_meter_that_cannot_be_counted_is_told_once(meter: tuple[int, int], steps_per_beat: int, text: str) -> None:
    """Where the master's bars cannot be counted the meter stays, and one notice says so."""
    performance = Performance(performer_settings(engine=ENGINE | {"steps_per_beat": steps_per_beat}))
    hear(performance, 1.0, 0.0, meter=meter)
    hear(performance, 1.5, 1.0, meter=meter)
    performance.run(until_s=3.5)
    assert [text] == texts(performance)
    assert [1.0, 3.0] == pytest.approx(ons(performance), abs=0.002)


def test_a_tempo_out_of_range_is_told() -> None:
    """A tempo that nobody plays is reported once, and not followed."""
    performance = Performance()
    for at_s in (1.0, 1.5):
        hear(performance, at_s, 0.0, 1000.0)
    performance.run(until_s=3.0)
    assert ["the timebase master's tempo, 1000 bpm, is out of range. Set it to 20 to 400 bpm there"] == texts(
        performance
    )
    assert not performance.told(Started)


def test_it_leads_before_a_midi_clock() -> None:
    """While the master rolls a MIDI clock has no effect; after the transport has stopped, a clock that starts leads."""
    performance = Performance()
    play_clock(performance, 90.0, 0.5, 4, START)
    hear(performance, 2.1, 0.0)
    play_clock(performance, 90.0, 2.5, 3, START)
    hear(performance, 5.0, 6.0, is_rolling=False)
    play_clock(performance, 60.0, 6.0, 6, START)
    performance.run(until_s=10.9)
    assert [0.5, 2.1, 4.1, 6.0, 10.0] == pytest.approx(ons(performance), abs=0.01)


def test_a_master_that_goes_leaves_the_beat() -> None:
    """When the master goes while the transport rolls, the beat goes on at the last tempo, which can be set again."""
    performance = Performance()
    hear(performance, 1.0, 0.0, 60.0)
    performance.at(2.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 90.0)))
    hear(performance, 3.0, None)
    performance.at(5.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 120.0)))
    hear(performance, 6.0, None, is_rolling=False)
    performance.run(until_s=8.9)
    assert [1.0, 5.0, 7.0] == pytest.approx(ons(performance), abs=0.002)
    assert ["tempo"] == [event.what for event in performance.told(Refused)]
    assert ["JACK's timebase master has gone. The beat goes on at its last tempo"] == texts(performance)


def test_a_master_that_goes_while_it_is_stopped_frees_the_jam() -> None:
    """When the master goes while the transport is stopped, the next note starts the music."""
    performance = Performance()
    hear(performance, 1.0, 0.0)
    hear(performance, 2.0, 2.0, is_rolling=False)
    hear(performance, 3.0, None, is_rolling=False)
    performance.play(4.0, ON)
    performance.run(until_s=5.5)
    assert [1.0, 4.0] == pytest.approx(ons(performance), abs=0.002)
    assert 1 == len(performance.told(Detached))


def test_a_tap_goes_on_without_a_stopped_transport() -> None:
    """While the transport rolls a tap has no effect. While it is stopped a tap goes on, whatever is located."""
    performance = Performance()
    hear(performance, 1.0, 0.0)
    for at_s in (2.2, 3.5):
        performance.at(at_s, lambda: performance.inbox.put(Act(Action.TAP)))
    hear(performance, 2.9, 3.8, is_rolling=False)
    hear(performance, 4.0, 0.0, is_rolling=False)
    performance.run(until_s=5.6)
    assert [1.0, 3.5, 5.5] == pytest.approx(ons(performance), abs=0.002)


def test_without_a_master_the_position_is_counted_at_the_own_tempo() -> None:
    """With --clock jack a transport without a master starts, stops and locates; the tempo stays the improviser's."""
    performance = Performance(performer_settings(clock=ClockUse.JACK))
    hear(performance, 1.0, None, position_s=8.0)
    hear(performance, 1.5, None, position_s=8.5)
    performance.at(3.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 60.0)))
    hear(performance, 3.5, None, position_s=10.5)
    hear(performance, 6.0, None, position_s=3.0)
    hear(performance, 9.0, None, is_rolling=False, position_s=6.0)
    performance.play(10.0, ON)
    performance.run(until_s=12.0)
    assert [1.0, 3.0, 7.0] == pytest.approx(ons(performance), abs=0.002)
    assert [3.0] == [event.beat for event in performance.told(Recounted)]
    assert ["JACK"] == [event.by for event in performance.told(Halted)]


def test_a_master_may_come_and_go_while_the_transport_rolls() -> None:
    """With --clock jack the beat is the master's while there is one, and goes on in its place after it."""
    performance = Performance(performer_settings(clock=ClockUse.JACK))
    hear(performance, 1.0, None, position_s=0.0)
    hear(performance, 2.0, 4.0, 60.0)
    hear(performance, 3.0, None, position_s=2.0)
    hear(performance, 4.0, None, position_s=3.0)
    hear(performance, 7.0, None, position_s=6.0, is_rolling=False)
    performance.run(until_s=9.0)
    assert [1.0, 2.0, 6.0] == pytest.approx(ons(performance), abs=0.002)
    assert 1 == len(performance.told(Halted))


@pytest.mark.parametrize("seed", range(3))
def test_a_session_with_jumps_replays(seed: int) -> None:
    """A session with loops, meters, tempos and stops replays identically."""
    settings = performer_settings(engine=ENGINE | {"temperature": 1.0}, seed=seed)

    def make_engine(ahead_s: float = 0.0) -> Engine:
        """Return the engine of these settings."""
        engine = EngineSettings(**settings.engine, ahead_s=ahead_s)
        return Engine(engine, BarNote(), np.random.default_rng(seed))

    performance = Performance(settings, new_engine=make_engine, player=PlayerUse.NEVER)
    rng = np.random.default_rng(seed)
    for at_s in np.cumsum(rng.uniform(0.3, 2.0, 20)):
        meter = ((4, 4), (3, 4), (6, 8), (7, 8))[int(rng.integers(4))]
        is_rolling = bool(rng.random() < 0.8)
        hear(
            performance,
            float(at_s),
            float(rng.uniform(0, 50)),
            float(rng.uniform(60, 200)),
            meter,
            is_rolling=is_rolling,
        )
        performance.play(float(at_s) + 0.2, ON)
    performance.run(until_s=30.0)
    lines = "".join(map(value_to_line, (settings, *performance.events)))
    again = replay(parse_session(lines, "test"), make_engine)
    assert len(again.live) > 6
    assert again.difference is None
    assert not hanging(performance)


@pytest.mark.parametrize(
    ("jump_s", "beat", "expected"),
    [
        (2.2, 0.4, [(1.0, 76), (1.5, 77), (2.0, 77), (2.5, 77), (3.0, 77)]),
        (2.2, 3.4, [(1.0, 76), (1.5, 77), (2.0, 77), (2.5, 76), (3.0, 77)]),
        (2.2, 100.4, [(1.0, 76), (1.5, 77), (2.0, 77), (2.5, 77), (3.0, 77)]),
    ],
)
def test_the_metronome_follows_a_jump(jump_s: float, beat: float, expected: list[tuple[float, int]]) -> None:
    """After a jump back or on, the metronome clicks the beats that come, and none that was jumped over."""
    performance = Performance(performer_settings(metronome=True))
    hear(performance, 1.0, 0.0)
    hear(performance, jump_s, beat)
    performance.run(until_s=3.2)
    found = [(at_s, message.note) for at_s, message in performance.sent if isinstance(message, NoteOn)]
    clicks = [(round(at_s, 2), note) for at_s, note in found if note in {76, 77}]
    assert expected == clicks


def test_the_transport_is_watched_where_it_may_be_followed() -> None:
    """JACK's transport is watched with auto and jack. With jack another MIDI system is refused."""

    class Rolling(LoopbackBackend):
        """A backend with a transport."""

        def __init__(self) -> None:
            """Start with nobody watching."""
            super().__init__()
            self.watchers: list[object] = []

        def watch_transport(self, tell: object) -> None:
            """Record who watches."""
            self.watchers.append(tell)

    with_transport, without = Rolling(), LoopbackBackend()
    inbox = Inbox()
    for use in (ClockUse.OWN, ClockUse.MIDI, ClockUse.LINK):
        watch_jack(use, with_transport, inbox)
    assert not with_transport.watchers
    for use in (ClockUse.AUTO, ClockUse.JACK):
        watch_jack(use, with_transport, inbox)
    assert [inbox.put, inbox.put] == with_transport.watchers
    watch_jack(ClockUse.AUTO, without, inbox)
    with pytest.raises(UsageError, match=r"loopback MIDI system has no JACK transport\. Use --backend jack"):
        watch_jack(ClockUse.JACK, without, inbox)
