"""How consonant the improviser is with players whose notes come after its decision.

The players are late by some milliseconds, as people are, while the improviser decides on the grid. So it never knows
the player's note of the same step. One row has no remedy, others anticipate the note, or mend clashes, or both. The
last row is the same player, exactly on the beat and heard before the decision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.choices import NoteTiming
from improviser.engine import Engine
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.consonance import CONSONANT_INTERVALS
from improviser.music.meter import METERS
from improviser.music.pitch import OCTAVE
from improviser.offline.session import play_along
from improviser.training.part_edit import part_messages
from improviser.units import MS_PER_S, S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from improviser.agent.policy import Actor, Values
    from improviser.engine import EngineSettings
    from improviser.midi.message import Message
    from improviser.training.grid import Part

# How late people are: mean and standard deviation. People in ensembles are 20-40 ms apart.
LATE_S, SPREAD_S = 0.02, 0.01
# A note counts as consonant if it is for most of the time until this share of a step after its beginning.
JUDGED_STEPS: Final = 1.0


@dataclass(frozen=True, slots=True)
class LateScore:
    """How consonant we were beside late players.

    Attributes:
        time: Share of the time in which both sound that is consonant.
        notes: Share of our notes that are consonant for most of their first step.
        mended: Share of our decisions with notes that were mended.
    """

    time: float
    notes: float
    mended: float


class Unforeseeing:
    """Values actions as another actor does, but does not anticipate the player."""

    def __init__(self, actor: Actor) -> None:
        """Use the values of `actor`."""
        self._actor = actor

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the values of the actor."""
        return self._actor.values(observation)


def late_scores(
    actor: Actor, settings: EngineSettings, parts: Sequence[Part], report: Callable[[float, float], None]
) -> dict[str, LateScore]:
    """Return the scores of an actor beside late players, by the remedies that are on.

    Args:
        actor: The actor.
        settings: How it plays.
        parts: The players.
        report: Called with the number of rows that are done, and with the total.
    """
    alone, late = Unforeseeing(actor), (LATE_S, SPREAD_S)
    mending = replace(settings, patience_bars=0, timing=NoteTiming.ON_GRID)
    plain = replace(mending, mends=False)
    rows: dict[str, tuple[Actor, EngineSettings, tuple[float, float]]] = {
        "as heard": (alone, plain, late),
        "anticipated": (actor, plain, late),
        "mended": (alone, mending, late),
        "anticipated and mended": (actor, mending, late),
        "exactly on the beat": (alone, replace(plain, timing=NoteTiming.AFTER_YOU, collect_s=0.0), (0.0, 0.0)),
    }
    scores = {}
    for done, (name, (each, how, by)) in enumerate(rows.items(), 1):
        scores[name] = measure_late(each, how, parts, by)
        report(done, len(rows))
    return scores


# Mean and standard deviation of how late players are, in milliseconds, and frames of JACK's period at 48 kHz with the
# milliseconds that the output needs besides: with real-time priority, and without it.
LATENESS_MS: Final = ((0, 0), (5, 0), (20, 0), (40, 0), (60, 0), (-20, 0), (20, 15))
OUTPUTS: Final = ((64, 6), (256, 6), (1024, 6), (2048, 6), (64, 18), (1024, 18))
_OUTPUT: Final = OUTPUTS[1]
_RATE: Final = 48_000


def timing_scores(
    actor: Actor, settings: EngineSettings, parts: Sequence[Part], report: Callable[[float, float], None]
) -> dict[str, LateScore]:
    """Return the scores of an actor by when notes leave, how late players are and what the output needs.

    Args:
        actor: The actor.
        settings: How it plays.
        parts: The players.
        report: Called with the number of rows that are done, and with the total.
    """
    endless = replace(settings, patience_bars=0)
    timings = {
        "on-grid": replace(endless, timing=NoteTiming.ON_GRID),
        "after-you": replace(endless, timing=NoteTiming.AFTER_YOU),
        "file": replace(endless, has_hindsight=True),
    }
    plan = [(name, _OUTPUT, late_ms) for name in timings for late_ms in LATENESS_MS]
    live = [name for name, how in timings.items() if not how.has_hindsight]
    plan += [(name, output, LATENESS_MS[-1]) for name in live for output in OUTPUTS if output != _OUTPUT]
    scores = {}
    for done, (name, (frames, more_ms), (late_ms, spread_ms)) in enumerate(plan, 1):
        how = replace(timings[name], ahead_s=frames / _RATE + more_ms / MS_PER_S)
        label = f"{name}, {late_ms} ms" + (f" +- {spread_ms}" if spread_ms else "")
        label += "" if name == "file" else f", {frames} frames + {more_ms} ms"
        scores[label] = measure_late(actor, how, parts, (late_ms / MS_PER_S, spread_ms / MS_PER_S))
        report(done, len(plan))
    return scores


class _CountingEngine(Engine):
    """Counts how often it mends."""

    mended = 0

    def hear(self, message: Message, at_s: float) -> list[TimedMessage]:
        """Process a message, and count it if it mends what is played."""
        messages = super().hear(message, at_s)
        self.mended += any(isinstance(timed.message, NoteOn | NoteOff) for timed in messages)
        return messages


def measure_late(
    actor: Actor, settings: EngineSettings, parts: Sequence[Part], late_s: tuple[float, float], seed: int = 0
) -> LateScore:
    """Return how consonant an actor is beside players whose onsets are late by this mean and standard deviation."""
    both = consonant = 0.0
    judged: list[bool] = []
    mended = 0
    for index, part in enumerate(parts):
        rng = np.random.default_rng([seed, index])
        step_s = S_PER_MINUTE / settings.tempo_bpm / part.steps_per_beat
        engine = _CountingEngine(replace(settings, meter=_meter(part)), actor, rng)
        engine.start(0.0, 0.0)
        heard = late_messages(part, step_s, late_s, np.random.default_rng([seed, index, 1]))
        played = play_along(engine, heard, len(part.player) * step_s)
        theirs, ours = spans(heard), spans(played)
        mended += engine.mended
        for start, end, note in ours:
            shared, well = beside(start, end, note, theirs)
            both, consonant = both + shared, consonant + well
            shared, well = beside(start, min(end, start + JUDGED_STEPS * step_s), note, theirs)
            judged += [2 * well >= shared] if shared else []
    return LateScore(consonant / both, float(np.mean(judged)), mended / len(judged))


def late_messages(
    part: Part, step_s: float, late_s: tuple[float, float], rng: np.random.Generator
) -> list[TimedMessage]:
    """Return a player's messages, with what happens in a step moved by a random number of seconds.

    Args:
        part: The player's part.
        step_s: The duration of a step.
        late_s: Mean and standard deviation of the movement.
        rng: Draws it.
    """
    moved = rng.normal(*late_s, size=len(part.player)).clip(-step_s / 3, step_s / 3)
    timed = [TimedMessage(step * step_s + float(moved[int(step)]), message) for step, message in part_messages(part)]
    return sorted(timed, key=lambda each: each.due_s)


def spans(messages: Sequence[TimedMessage]) -> list[tuple[float, float, int]]:
    """Return beginning, end and note of each note in `messages`, in the order in which they end."""
    begun: dict[int, float] = {}
    found: list[tuple[float, float, int]] = []
    for timed in messages:
        match timed.message:
            case NoteOn(_, note, _):
                begun[note] = timed.due_s
            case NoteOff(_, note) if note in begun:
                found.append((begun.pop(note), timed.due_s, note))
    return found


def beside(start: float, end: float, note: int, theirs: Sequence[tuple[float, float, int]]) -> tuple[float, float]:
    """Return for how long a note sounds beside another, and for how long it is consonant with each that sounds."""
    near = [each for each in theirs if each[0] < end and each[1] > start]
    cuts = sorted({start, end, *(min(max(at, start), end) for each in near for at in each[:2])})
    beside = well = 0.0
    for left, right in pairwise(cuts):
        sounding = [other for begin, stop, other in near if begin <= left and stop >= right]
        beside += (right - left) * bool(sounding)
        well += (right - left) * (bool(sounding) and _is_consonant(note, sounding))
    return beside, well


def _is_consonant(note: int, sounding: Sequence[int]) -> bool:
    """Return whether a note is consonant with any that sounds, as in `evaluation.metrics.harmony_figures`."""
    return any(abs(note - other) % OCTAVE in CONSONANT_INTERVALS for other in sounding)


def _meter(part: Part) -> tuple[int, int]:
    """Return the meter of a part."""
    return METERS[part.meter].numerator, METERS[part.meter].denominator
