"""Songs with the improviser, for the tests of offline rendering."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine import EngineSettings
from improviser.midi.message import NoteOn, TimedMessage
from improviser.midi.smf import MetaEvent
from improviser.offline import Wishes, render_song
from tests.actors import pulse
from tests.written import TICKS, onsets

if TYPE_CHECKING:
    from improviser.agent.policy import Actor
    from improviser.midi.smf import Song, Track

IN_C: Final = EngineSettings(key="C", temperature=0.0, patience_bars=1)
FREE: Final = replace(IN_C, key="auto")
BAR: Final = 4 * TICKS


def render(
    song: Song,
    wishes: Wishes | None = None,
    actor: Actor | None = None,
    settings: EngineSettings = IN_C,
    seed: int = 0,
) -> Song:
    """Return the song with the improviser; by default it plays a low note in every beat."""
    return render_song(song, wishes or Wishes(), settings, actor or pulse(), np.random.default_rng(seed))


def beats(song: Song) -> list[float]:
    """Return the beats on which the improviser plays."""
    return [tick / song.ticks_per_beat for tick, _ in onsets(song.tracks[-1])]


def loudest(song: Song) -> list[float]:
    """Return the beats on which the improviser plays with its highest velocity: the first beats of bars."""
    struck = [event for event in song.tracks[-1].events if isinstance(event.message, NoteOn)]
    touches = [event.message.velocity for event in struck if isinstance(event.message, NoteOn)]
    pairs = zip(struck, touches, strict=True)
    return [event.tick / song.ticks_per_beat for event, touch in pairs if touch == max(touches)]


def timed(track: Track) -> list[TimedMessage]:
    """Return the messages of a track, with their ticks as times."""
    return [
        TimedMessage(float(event.tick), event.message)
        for event in track.events
        if not isinstance(event.message, MetaEvent)
    ]
