"""A JACK timebase master for the tests: `python -m tests.timebase_master` with lines of BPM NUMERATOR DENOMINATOR BARS.

The lines are a song: so many bars of a tempo and a meter, one after the other. The last one goes on. It obeys commands
on its standard input: `play`, `stop`, `locate FRAME`, `loop FROM TO` in frames, `quit`. It prints `ready` when it is
the master.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jack

TICKS_PER_BEAT = 1920
BBT = 0x10


@dataclass(frozen=True)
class Section:
    """Some bars of one tempo and one meter, from a bar and a frame on; the tempo counts quarter notes."""

    bpm: float
    meter: tuple[int, int]
    first_bar: int
    first_frame: float

    @property
    def beat_frames(self) -> float:
        """The length of a beat of the meter in frames."""
        return 60 / self.bpm * 48_000 * 4 / self.meter[1]

    def place(self, frame: float) -> tuple[int, int, float]:
        """Return the bar, counted from 0, the beat within it, and the share of that beat."""
        beats = (frame - self.first_frame) / self.beat_frames
        bar, beat = divmod(int(beats + 1e-9), self.meter[0])
        return self.first_bar + bar, beat, max(0.0, beats - int(beats + 1e-9))


def song(lines: Sequence[str]) -> list[Section]:
    """Return the sections that lines of BPM NUMERATOR DENOMINATOR BARS describe."""
    sections: list[Section] = []
    bar, frame = 0, 0.0
    for line in lines:
        bpm, numerator, denominator, bars = line.split()
        sections.append(Section(float(bpm), (int(numerator), int(denominator)), bar, frame))
        bar += int(bars)
        frame += int(bars) * int(numerator) * sections[-1].beat_frames
    return sections


def section_at(sections: Sequence[Section], frame: float) -> Section:
    """Return the section that plays at a frame."""
    return next(section for section in reversed(sections) if section.first_frame <= frame + 1e-6)


class Master:
    """The client, which is the timebase master and may loop."""

    def __init__(self, sections: Sequence[Section]) -> None:
        """Become the master."""
        self.loop: tuple[int, int] | None = None
        self._sections = sections
        self.client = jack.Client("Test Master", no_start_server=True)
        self.client.set_process_callback(self._process)
        self.client.activate()
        self.client.set_timebase_callback(self._say)
        self._is_asked = False

    def _process(self, _frames: int) -> None:
        """Go back at the end of the loop."""
        if self.loop is not None:
            _, position = self.client.transport_query_struct()
            is_over = position.frame >= self.loop[1]
            if is_over and not self._is_asked:
                self.client.transport_frame = self.loop[0]
            self._is_asked = is_over

    def _say(self, _state: int, _frames: int, position: Any, _is_new: bool) -> None:  # noqa: ANN401, FBT001 - JACK's
        """Say where the beat is at the position's frame."""
        section = section_at(self._sections, position.frame)
        bar, beat, share = section.place(position.frame)
        position.valid = BBT
        position.bar, position.beat = bar + 1, beat + 1
        position.tick = int(share * TICKS_PER_BEAT)
        position.beats_per_bar, position.beat_type = section.meter
        position.ticks_per_beat = TICKS_PER_BEAT
        position.beats_per_minute = section.bpm


def main() -> None:
    """Be the master until the input ends."""
    master = Master(song(sys.argv[1:]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        match line.split():
            case ["play"]:
                master.client.transport_start()
            case ["stop"]:
                master.client.transport_stop()
            case ["locate", frame]:
                master.client.transport_frame = int(frame)
            case ["loop", start, end]:
                master.loop = int(start), int(end)
            case _:
                break
    threading.Event().wait(0.1)
    master.client.transport_stop()
    master.client.close()


if __name__ == "__main__":
    main()
