"""Reading JACK's transport from what timebase masters say."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from improviser.ports.jack_transport import BBT, BBT_OFFSET, STARTING, STOPPED, BeatReader, JackPlace, JackTransport

RATE, PERIOD = 48_000, 256
ROLLING = 1
# What a master says at a frame.
Says = Callable[[int], Any]
# Frame, beat and tempo.
Found = tuple[int, float, float]


def said(frame: int, beats: float, meter: tuple[int, int] = (4, 4), **other: Any) -> Any:  # noqa: ANN401 - a struct
    """Return the position that an exact master says for `beats`, counted in the meter's denominator from bar 1."""
    bars, in_bar = divmod(beats, meter[0])
    values: dict[str, float] = {
        "frame": frame,
        "valid": BBT,
        "bar": int(bars) + 1,
        "beat": int(in_bar) + 1,
        "tick": int(in_bar % 1 * 1920),
        "beats_per_bar": float(meter[0]),
        "beat_type": float(meter[1]),
        "ticks_per_beat": 1920.0,
        "beats_per_minute": 120.0,
        "bbt_offset": 0,
    }
    return SimpleNamespace(**(values | other))


def steady(frame: int) -> Any:  # noqa: ANN401 - as above
    """Return what a master at 120 bpm says."""
    return said(frame, frame / 24_000)


def ardour(frame: int) -> Any:  # noqa: ANN401 - as above
    """Return what a master says in 6/8 whose ticks divide a quarter note and are rounded to the nearest."""
    eighths = frame / 12_000
    return said(frame, eighths, (6, 8), tick=round(eighths % 1 * 960))


def hydrogen(frame: int) -> Any:  # noqa: ANN401 - as above
    """Return what a master says whose beat is always 1, and whose 192 ticks divide the bar."""
    bars = frame / 96_000
    return said(frame, 4 * int(bars), ticks_per_beat=192.0, tick=int(bars % 1 * 192))


def eighths_bpm(frame: int) -> Any:  # noqa: ANN401 - as above
    """Return what a master says in 6/8 whose tempo counts eighths."""
    return said(frame, frame / 12_000, (6, 8), beats_per_minute=240.0)


def read(reader: BeatReader, says: Says, start: int, periods: int, period: int = PERIOD) -> list[Found]:
    """Return frame, beat and tempo of each period."""
    found = []
    for frame in range(start, start + periods * period, period):
        result = reader.beat(says(frame), period)
        assert result is not None
        found.append((frame, *result))
    return found


@pytest.mark.parametrize("says", [steady, ardour, hydrogen, eighths_bpm])
@pytest.mark.parametrize("start", [0, 24_064])
def test_each_masters_beat_is_exact_after_some_ticks(says: Says, start: int) -> None:
    """Whatever a master's ticks and tempo mean, the beat is exact and counts quarter notes at 120 bpm.

    Until the first eighth is over, Ardour's ticks can also be those of half the tempo.
    """
    found = read(BeatReader(RATE), says, start, 400)[50:]
    assert [frame / 24_000 for frame, *_ in found] == pytest.approx([beat for _, beat, _ in found])
    assert {120.0} == {tempo for *_, tempo in found}


@pytest.mark.parametrize("rounds", [False, True])
def test_a_change_of_tempo_is_found_within_frames(rounds: bool) -> None:  # noqa: FBT001 - a parameter
    """After a change from 120 to 90 bpm within a period, the beat comes within a frame after some periods."""

    def beats_at(frame: int) -> float:
        """Return the true beat."""
        return frame / 24_000 if frame <= 100_100 else 100_100 / 24_000 + (frame - 100_100) / 32_000

    def says(frame: int) -> Any:  # noqa: ANN401 - as above
        """Say the beat and the tempo."""
        beats = beats_at(frame)
        tick = beats % 1 * 1920
        bpm = 120.0 if frame <= 100_100 else 90.0
        return said(frame, beats, tick=round(tick) if rounds else int(tick), beats_per_minute=bpm)

    found = read(BeatReader(RATE), says, 0, 800)
    off = [abs(beat - beats_at(frame)) * 32_000 for frame, beat, _ in found]
    assert max(off[:391]) < 0.001
    assert max(off) < 8
    assert max(off[500:]) < 1
    assert 90.0 == found[-1][2]


def test_a_locate_to_a_whole_beat_is_exact_at_once() -> None:
    """After a locate in a song with other tempos before, the first beat is taken as exact."""

    def says(frame: int) -> Any:  # noqa: ANN401 - as above
        """Say a beat that is seven beats later than at a steady tempo."""
        return said(frame, frame / 24_000 + 7)

    reader = BeatReader(RATE)
    read(reader, steady, 0, 4)
    found = read(reader, says, 48_000, 50)
    assert [frame / 24_000 + 7 for frame, *_ in found] == pytest.approx([beat for _, beat, _ in found])


@pytest.mark.parametrize("first", [2_688_000, 2_688_128])
def test_a_song_that_begins_anew_keeps_the_beat(first: int) -> None:
    """Hydrogen's song of 28 bars begins anew while the frames go on: the beat stays exact at once."""

    def says(frame: int) -> Any:  # noqa: ANN401 - as above
        """Say the place in the song."""
        position = hydrogen(frame % 2_688_000)
        position.frame = frame
        return position

    found = read(BeatReader(RATE), says, first - 400 * PERIOD, 800)[50:]
    assert [frame % 2_688_000 / 24_000 for frame, *_ in found] == pytest.approx([beat for _, beat, _ in found])


def test_a_jump_to_elsewhere_in_the_bar_is_read_by_its_ticks() -> None:
    """A master that jumps by part of a beat is followed within its tick of 10 ms."""

    def says(frame: int) -> Any:  # noqa: ANN401 - as above
        """Say a place that is 1.3 beats later from 48,000 frames on."""
        position = hydrogen(frame + (31_200 if frame >= 48_000 else 0))
        position.frame = frame
        return position

    found = read(BeatReader(RATE), says, 0, 800)
    assert max(abs(beat - frame / 24_000 - 1.3 * (frame >= 48_000)) for frame, beat, _ in found) < 0.01


def test_a_false_first_beat_is_corrected() -> None:
    """A master whose first beat after a jump is stale is followed from the next period on."""
    reader = BeatReader(RATE)

    def says(frame: int) -> Any:  # noqa: ANN401 - as above
        """Say the beat of two periods later in the first period."""
        return steady(frame + 512) if frame == 48_000 else steady(frame)

    found = read(reader, lambda frame: SimpleNamespace(**(vars(says(frame)) | {"frame": frame})), 48_000, 20)
    assert 2 + 512 / 24_000 == pytest.approx(found[0][1], abs=1 / 1920)
    assert [frame / 24_000 for frame, *_ in found[1:]] == pytest.approx([beat for _, beat, _ in found[1:]])


def test_the_frame_of_bbt_may_be_earlier() -> None:
    """A BBT that belongs to an earlier frame is moved to the period's first frame."""
    late = SimpleNamespace(**(vars(steady(48_000)) | {"frame": 48_100, "valid": BBT | BBT_OFFSET, "bbt_offset": 100}))
    result = BeatReader(RATE).beat(late, PERIOD)
    assert result is not None
    assert 48_100 / 24_000 == pytest.approx(result[0])


@pytest.mark.parametrize(
    "values", [{"ticks_per_beat": 0.0}, {"beat_type": -1.0}, {"beats_per_minute": math.nan}, {"bar": 0}, {"beat": 0}]
)
def test_senseless_bbt_has_no_beat(values: dict[str, Any]) -> None:
    """Numbers from which no beat can be computed count as none."""
    assert BeatReader(RATE).beat(said(0, 0.0, **values), PERIOD) is None


class Server:
    """A client of a server whose transport is set by the test."""

    samplerate = RATE

    def __init__(self) -> None:
        """Begin stopped, without a master."""
        self.state, self.says, self.frame, self.now_s = STOPPED, steady, 0, 10.0
        self.told: list[JackPlace] = []
        self.transport = JackTransport(self, self.told.append)

    def transport_query_struct(self) -> tuple[int, Any]:
        """Return the state and the position."""
        return self.state, self.says(self.frame)

    def run(self, periods: int) -> list[JackPlace]:
        """Run some periods; return what was reported in them."""
        self.told.clear()
        for _ in range(periods):
            self.transport.read(self.now_s, PERIOD)
            self.now_s += PERIOD / RATE
            self.frame += PERIOD if self.state == ROLLING else 0
        return list(self.told)


def silent(frame: int) -> Any:  # noqa: ANN401 - as above
    """Return the position without a master."""
    return SimpleNamespace(frame=frame, valid=0)


def test_a_place_is_told_when_it_is_new() -> None:
    """Start, stop and locates are reported once, and a rolling place twice a second."""
    server = Server()
    assert [JackPlace(10.0, is_rolling=False, position_s=0.0, beat=0.0, tempo_bpm=120.0, meter=(4, 4))] == server.run(
        50
    )
    server.state = ROLLING
    assert [(True, 0.0), (True, 1.003)] == [(place.is_rolling, round(place.beat or 0, 3)) for place in server.run(100)]
    server.frame = 480_000
    assert [20.0] == [place.beat for place in server.run(90)]
    server.state = STOPPED
    assert [False] == [place.is_rolling for place in server.run(90)]
    server.frame = 0
    assert [0.0] == [place.beat for place in server.run(90)]


def test_short_waits_and_silences_are_passed_over() -> None:
    """A transport that waits for slow clients, and a master that is silent after a locate, change nothing at first."""
    server = Server()
    server.state = ROLLING
    server.run(10)
    server.state = STARTING
    assert [] == server.run(20)
    assert [False] == [place.is_rolling for place in server.run(50)]
    server.state = ROLLING
    server.run(10)
    server.says = silent
    assert [] == server.run(20)
    assert [None] == [place.beat for place in server.run(50)]
    server.says = steady
    assert server.run(1)[0].beat is not None


def test_without_a_master_the_position_is_told() -> None:
    """Without BBT start, stop and locates are reported with the position in seconds."""
    server = Server()
    server.says, server.state = silent, ROLLING
    assert [JackPlace(10.0, is_rolling=True, position_s=0.0)] == server.run(50)
    server.frame = 480_000
    assert [10.0] == [place.position_s for place in server.run(50)]


def test_a_meter_may_be_none() -> None:
    """Bars whose beats are no whole number have no meter, but a beat."""
    server = Server()
    server.state = ROLLING
    server.says = lambda frame: said(frame, frame / 24_000, beats_per_bar=3.5)
    place = server.run(1)[0]
    assert (0.0, None) == (place.beat, place.meter)


def test_small_corrections_are_told_seldom() -> None:
    """A tempo that changes in every period is reported at most fifty times a second."""
    server = Server()
    server.state = ROLLING

    def says(frame: int) -> Any:  # noqa: ANN401 - as above
        """Say a tempo that rises by 10 bpm a second."""
        passed_s = frame / RATE
        beats = (120 * passed_s + 5 * passed_s**2) / 60
        return said(frame, beats, beats_per_minute=120 + 10 * passed_s)

    server.says = says
    told = server.run(188)
    assert 20 <= len(told) <= 52
    last = told[-1]
    assert (130 - 120) * last.position_s == pytest.approx(last.tempo_bpm - 120, abs=0.01)
