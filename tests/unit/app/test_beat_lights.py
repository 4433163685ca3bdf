"""The beat lights of a terminal."""

from __future__ import annotations

import threading

import pytest

from improviser.app.beat_lights import LOOK_EVERY_S, BeatLights, LightsThread
from improviser.music.meter import Meter
from improviser.protocol import Event, Halted, Heard, MeterSet, Started, Synced
from improviser.session.timeline import BarCount

NOTE = Heard(10.0, 0, 60, 80, "A")


def lights(*events: Event, meter: tuple[int, int] = (4, 4), encoding: str | None = "ascii") -> BeatLights:
    """Return lights after some events, at 120 beats per minute."""
    count = BarCount(Meter(*meter), 120.0)
    for event in events:
        count.follow(event)
    return BeatLights(count, encoding)


def test_there_is_a_light_for_each_beat() -> None:
    """One light is lit for each beat of the bar, and the downbeat has a sign of its own."""
    shown = lights(NOTE)
    texts = [shown.text(10.0 + beat / 2 + 0.01) for beat in range(5)]
    assert ["# . . .", "- * . .", "- . * .", "- . . *", "# . . ."] == texts


@pytest.mark.parametrize(
    ("meter", "count"), [((3, 4), 3), ((6, 8), 2), ((7, 8), 3), ((2, 2), 4), ((12, 8), 4), ((5, 4), 5)]
)
def test_there_are_as_many_lights_as_a_bar_has_beats(meter: tuple[int, int], count: int) -> None:
    """The number of lights is that of the counted beats, whatever the meter is."""
    assert count == len(lights(NOTE, meter=meter).text(10.0).split())


@pytest.mark.parametrize(
    ("events", "at_s", "text"),
    [
        ((), 10.0, "- . . ."),
        ((Started(10.0, -4.0),), 9.9, "- . . ."),  # before the count-in
        ((Started(10.0, -4.0),), 10.6, "- * . ."),
        ((NOTE, Synced(11.0, 2.0, 60.0)), 12.1, "- . . *"),  # another tempo
        ((Started(10.0, 0.0), Halted(11.0, "A")), 11.1, "- . . ."),
        ((Started(10.0, 0.0), Halted(11.0, "A"), Started(20.0, 5.0)), 20.1, "- * . ."),
    ],
)
def test_lights_follow_the_beat(events: tuple[Event, ...], at_s: float, text: str) -> None:
    """Lights follow a start, a tempo and a count-in, and are dark while no beat runs."""
    assert text == lights(*events).text(at_s)


def test_lights_follow_a_change_of_meter() -> None:
    """After a change of meter, bars begin on the beat of the change."""
    shown = lights(NOTE, MeterSet(12.5, 5.0, (3, 4)))
    assert ["# . .", "- * .", "- . *", "# . ."] == [shown.text(10.01 + beat / 2) for beat in (5, 6, 7, 8)]


def test_a_terminal_that_can_has_round_lights() -> None:
    """Round signs are used where the encoding has them."""
    assert "\u25c6 \u25cb \u25cb \u25cb" == lights(NOTE, encoding="utf-8").text(10.0)
    assert "# . . ." == lights(NOTE, encoding="cp1252").text(10.0) == lights(NOTE, encoding=None).text(10.0)


def test_the_next_drawing_is_on_the_next_beat() -> None:
    """The lights are drawn again on the next beat, and no later than the next check."""
    assert [LOOK_EVERY_S, LOOK_EVERY_S] == [lights().wait_s(10.0), lights(NOTE).wait_s(10.1)]
    assert 0.04 == pytest.approx(lights(NOTE).wait_s(10.46))


def test_the_thread_draws_until_it_is_stopped() -> None:
    """The thread draws again after the time that drawing returned, and ends when it is stopped."""
    drawn = threading.Semaphore(0)

    def draw() -> float:
        """Count a drawing."""
        drawn.release()
        return 0.001

    thread = LightsThread(draw)
    thread.start()
    assert all(drawn.acquire(timeout=10.0) for _ in range(3))
    thread.stop()
    thread.join(10.0)
    assert thread.is_stopped
    assert not thread.is_alive()
