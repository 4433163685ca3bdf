"""Counts what happens while the music plays, and turns it into the summary."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from improviser.midi.message import Message, NoteOff, NoteOn
from improviser.protocol import Summary
from improviser.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

# Half an hour at eight notes a second. Of a longer session only the last half hour counts.
KEPT: Final = 15_000
_DIGITS: Final = 4


@dataclass(slots=True)
class Stats:
    """The counts of one performance.

    Threads: Only the performer's loop uses this class.
    """

    notes_heard: int = 0
    notes_played: int = 0
    decisions: int = 0
    late_decisions: int = 0
    bad_messages: int = 0
    feedback: int = 0
    likes: int = 0
    dislikes: int = 0
    onset_errors_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    decision_times_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    # What was really sent, to find out whether a note hangs; nothing is decided by it.
    _unreleased: Counter[tuple[int, int]] = field(default_factory=Counter)

    def count_sent(self, message: Message, due_s: float, actual_s: float) -> None:
        """Count a message that has left."""
        match message:
            case NoteOn(channel, note):
                self.notes_played += 1
                self.onset_errors_s.append(actual_s - due_s)
                self._unreleased[channel, note] += 1
            case NoteOff(channel, note):
                self._unreleased[channel, note] = max(0, self._unreleased[channel, note] - 1)

    def count_press(self, *, liked: bool) -> None:
        """Count a like or a dislike."""
        if liked:
            self.likes += 1
        else:
            self.dislikes += 1

    def summary(self, *, duration_s: float, start_s: float | None) -> Summary:
        """Return the summary. It still lacks what only the ports know."""
        return Summary(
            notes_heard=self.notes_heard,
            notes_played=self.notes_played,
            decisions=self.decisions,
            late_decisions=self.late_decisions,
            stuck_notes=self._unreleased.total(),
            onset_error_ms=quantiles_ms(self.onset_errors_s),
            decision_ms=quantiles_ms(self.decision_times_s),
            bad_messages=self.bad_messages,
            feedback=self.feedback,
            duration_s=duration_s,
            start_s=start_s,
            likes=self.likes,
            dislikes=self.dislikes,
        )


def quantiles_ms(times_s: Sequence[float]) -> dict[str, float]:
    """Return p50, p99, p99.9 and max of the absolute `times_s` in milliseconds; empty if there are no times."""
    if not times_s:
        return {}
    ordered = sorted(abs(time_s) for time_s in times_s)
    last = len(ordered) - 1
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    places = {name: round(last * share) for name, share in shares.items()}
    return {name: round(ordered[place] * MS_PER_S, _DIGITS) for name, place in places.items()}
