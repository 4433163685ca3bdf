"""The beat in what a musician plays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from improviser.listening.beat.pulse_network import PulseNetwork
from improviser.music.meter import Meter
from tests.following import accompaniment, listen, make_tracker, steady


@pytest.mark.parametrize("tempo_bpm", [80, 100, 126])
def test_a_steady_beat_is_found_within_four_bars(tempo_bpm: float) -> None:
    """After four bars, tempo, phase and meter of an accompaniment are known, and the tracker is sure."""
    beats_s = steady(tempo_bpm, 17)
    view = listen(make_tracker(), accompaniment(beats_s)).look(beats_s[16])
    assert view is not None
    assert pytest.approx(tempo_bpm, rel=0.03) == view.tempo_bpm
    assert abs((view.beat + 0.5) % 1 - 0.5) < 0.1
    assert Meter(4, 4) == view.meter
    assert view.confidence > 0.3


def test_the_downbeat_is_found() -> None:
    """After eight bars the place in the bar is known, and bars are counted."""
    beats_s = steady(100, 33)
    tracker = listen(make_tracker(), accompaniment(beats_s))
    views = [tracker.look(beats_s[32] + (place + 0.3) * 0.6) for place in range(4)]
    assert [0, 1, 2, 3] == [view.beat_in_bar for view in views if view]
    assert 1 == len({view.bar for view in views if view})


def test_nothing_is_known_before_the_first_onset() -> None:
    """There is no view until an onset is complete."""
    tracker = make_tracker()
    assert tracker.look(1.0) is None
    tracker.hear(1.0, 60, 80)
    assert tracker.look(1.01) is None
    assert tracker.look(1.1) is not None


def test_the_work_is_left_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hearing judges nothing, and the beat is the same however seldom one looks."""
    judged: list[int] = []
    judges = PulseNetwork.judge

    def spy(*arguments: Any) -> Any:  # noqa: ANN401 - whatever it takes and returns
        """Count the judgements."""
        judged.append(1)
        return judges(*arguments)

    monkeypatch.setattr(PulseNetwork, "judge", spy)
    messages = accompaniment(steady(100, 9))
    seldom, often = make_tracker(), make_tracker()
    listen(seldom, messages)
    assert not judged
    for timed in messages:
        often.look(timed.due_s)
        listen(often, [timed])
    assert seldom.look(7.0) == often.look(7.0)
    assert len(judged) == 2 * 16


def test_a_slow_change_of_tempo_is_followed() -> None:
    """A tempo that swells by 20 % in 24 beats is followed with a lag of at most two beats."""
    tempos = [100 * (1 + 0.2 * math.sin(math.pi * max(0, beat - 16) / 48)) for beat in range(41)]
    beats_s = np.concatenate([[1.0], 1.0 + np.cumsum(60 / np.array(tempos))]).tolist()
    view = listen(make_tracker(), accompaniment(beats_s)).look(beats_s[-1])
    assert view is not None
    assert tempos[-3] * 0.96 < view.tempo_bpm < tempos[-1] * 1.05


def test_the_tempo_holds_in_a_silence_while_confidence_falls() -> None:
    """Without onsets the beat goes on at the last tempo, and less and less is known."""
    beats_s = steady(100, 17)
    tracker = listen(make_tracker(), accompaniment(beats_s))
    soon, late = tracker.look(beats_s[16]), tracker.look(beats_s[16] + 6.0)
    assert soon is not None
    assert late is not None
    assert soon.tempo_bpm == late.tempo_bpm
    assert pytest.approx(soon.beat + 6.0 / 60 * soon.tempo_bpm) == late.beat
    assert late.confidence < soon.confidence / 8


def test_taps_set_the_beat() -> None:
    """Taps of the player are followed at once, whatever was heard."""
    tracker = listen(make_tracker(), accompaniment(steady(100, 9)))
    taps_s = [8.0 + 0.75 * tap for tap in range(4)]
    for tap_s in taps_s:
        tracker.nudge(tap_s)
    view = tracker.look(taps_s[-1])
    assert view is not None
    assert pytest.approx(80, rel=0.04) == view.tempo_bpm
    assert abs((view.beat + 0.5) % 1 - 0.5) < 0.06


def test_a_given_meter_is_kept() -> None:
    """If the meter is given, it is not sought."""
    beats_s = steady(100, 13)
    view = listen(make_tracker(meter=Meter(3, 4)), accompaniment(beats_s)).look(beats_s[-1])
    assert view is not None
    assert Meter(3, 4) == view.meter


def test_looking_changes_nothing() -> None:
    """What is believed does not depend on how often one looks."""
    messages = accompaniment(steady(100, 17))
    seldom = listen(make_tracker(), messages)
    often = make_tracker()
    for timed in messages:
        often.look(timed.due_s)
        listen(often, [timed])
    assert seldom.look(12.0) == often.look(12.0)
