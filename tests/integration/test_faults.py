"""Whatever goes wrong over real ports: no note hangs, no journal entry is lost, and every session replays identically.

Each session is played with random faults and ends by a signal or because the program is killed. It is then read from
its journal and replayed twice. One session runs with the default tests; twenty sessions with 200 faults in all are
marked slow.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from improviser.protocol import (
    TEMPO_BPM,
    TURNS_MAX,
    Act,
    Action,
    Controlled,
    Heard,
    Knob,
    Lifted,
    Played,
    Released,
    Turn,
    value_to_line,
)
from improviser.remote.control_socket import ask
from improviser.session.session_log import Session, read_session
from tests.live import Command, Partner, Run, wait_for

pytestmark = pytest.mark.jack

MUSIC = {kind.event: kind for kind in (Heard, Lifted, Controlled, Played, Released)}
TUNE = [60, 62, 64, 65, 67, 65, 64, 62]
BEAT_S = 0.25
# Faults after which a performer is replaced; the limit is five within a minute.
DEADLY = ("kill", "stop", "memory")


@dataclass
class Stage:
    """A jam, a keyboard that is connected to it, and a random generator."""

    jam: Command
    keys: Partner
    chance: random.Random
    folder: Path
    done: Counter[str] = field(default_factory=Counter)

    def inject(self, kind: str) -> None:
        """Cause a fault of the given kind while the tune is played."""
        moment_s = self.chance.uniform(0.0, 1.0)
        begun_s = time.monotonic()
        self.keys.play(TUNE * 2, BEAT_S, until=lambda: time.monotonic() > begun_s + moment_s)
        getattr(self, f"_{kind}")()
        self.done[kind] += 1
        self.keys.play(TUNE[:4], BEAT_S)

    def _kill(self) -> None:
        """Kill the performer."""
        os.kill(self.jam.performer(), signal.SIGKILL)

    def _stop(self) -> None:
        """Stop the performer's process for up to 5 s."""
        performer = self.jam.performer()
        os.kill(performer, signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.2, 5.0))
        if performer == self.jam.performer():
            os.kill(performer, signal.SIGCONT)

    def _memory(self) -> None:
        """Limit the performer's memory to almost no more than it uses."""
        performer = self.jam.performer()
        pages = int(Path(f"/proc/{performer}/statm").read_text("ascii").split()[0])
        room = pages * resource.getpagesize() + 100_000
        resource.prlimit(performer, resource.RLIMIT_AS, (room, room))

    def _disk(self) -> None:
        """Make the journal's disk appear full for a while."""
        limits = resource.prlimit(self.jam.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.jam.process.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
        self.keys.play(TUNE[:4], BEAT_S)
        resource.prlimit(self.jam.process.pid, resource.RLIMIT_FSIZE, limits)

    def _unplug(self) -> None:
        """Unplug the keyboard with a key down, and plug it in again."""
        self.keys.send(0x90, 60, 80)
        self.keys.unplug()
        time.sleep(self.chance.uniform(0.0, 3.0))
        found = len(self.jam.told("notice"))
        self.keys.offer()
        wait_for(lambda: len(self.jam.told("notice")) > found, "the keyboard")

    def _panic(self) -> None:
        """Send a panic."""
        self.jam.process.send_signal(signal.SIGUSR1)

    def _garbage(self) -> None:
        """Send bytes that are no messages."""
        for _ in range(200):
            self.keys.send(*(self.chance.randrange(0x100) for _ in range(self.chance.randrange(1, 4))))

    def _burst(self) -> None:
        """Send 9,000 note-ons and 1,000 note-offs at once."""
        for place in range(10_000):
            self.keys.send(0x90 if place < 9_000 else 0x80, place % 128, 60)

    def _cable(self) -> None:
        """Send 1,000 messages in a second, about as fast as a MIDI cable does."""
        start_s = time.monotonic()
        for place in range(1000):
            time.sleep(max(0.0, start_s + place / 1000 - time.monotonic()))
            self.keys.send(0x80 if place % 2 else 0x90, 40 + place // 2 % 60, 60)

    def _sysex(self) -> None:
        """Send a system exclusive message of 1 MB, in pieces as a driver delivers it."""
        self.keys.send(0xF0, 0x7D)
        for _ in range(128):
            self.keys.send(*[0x55] * 8192)
        self.keys.send(0xF7)

    def _clock(self) -> None:
        """Send a MIDI clock that starts and then disappears."""
        tick_s = 60 / self.chance.uniform(20, 300) / 24
        self.keys.send(0xFA)
        for _ in range(int(2.0 / tick_s)):
            self.keys.send(0xF8)
            time.sleep(tick_s)

    def _steer(self) -> None:
        """Send every command and turn every knob, as fast as possible."""
        commands: list[Act | Turn] = [*map(Act, Action)]
        for knob in Knob:
            low, high = TEMPO_BPM if knob is Knob.TEMPO else (0.0, TURNS_MAX)
            commands.append(Turn(knob, round(self.chance.uniform(low, high), 2)))
        self.chance.shuffle(commands)
        for command in commands:
            ask(self.folder / "state" / "running", value_to_line(command))

    def _hog(self) -> None:
        """Keep all cores busy for a while."""
        spin = [sys.executable, "-c", "while True: pass"]
        hogs = [subprocess.Popen(spin) for _ in range(2 * (os.cpu_count() or 1))]
        self.keys.play(TUNE[:4], BEAT_S)
        for hog in hogs:
            hog.kill()
            hog.wait()


FAULTS = [name[1:] for name in vars(Stage) if name.startswith("_") and not name.startswith("__")]


def play(stage: Stage, faults: int) -> None:
    """Play with random faults, at most two of which replace the performer."""
    for _ in range(faults):
        left = [kind for kind in FAULTS if kind not in DEADLY or sum(stage.done[one] for one in DEADLY) < 2]
        stage.inject(stage.chance.choice(left))


def end(stage: Stage, *, kills: bool) -> None:
    """End the jam, by a signal or by killing it, and check that no note sounds and no traceback is printed."""
    if kills:
        stage.jam.process.kill()
        stage.jam.end()
    else:
        stage.jam.process.send_signal(signal.SIGTERM)
        code, error = stage.jam.end()
        assert (0, "") == (code, "" if "Traceback" not in error else error)
    wait_for(lambda: not stage.keys.sounding, f"the end of all notes after {dict(stage.done)}")


def journal(folder: Path) -> Session:
    """Return the session that was just played."""
    (path,) = (folder / "state" / "sessions").glob("*.jsonl")
    return read_session(path)


def check(stage: Stage, folder: Path, run: Callable[..., Command]) -> None:
    """Check that the journal holds every event that was reported, and that it replays identically twice."""
    session = journal(folder)
    for name, kind in MUSIC.items():
        kept = sum(isinstance(event, kind) for event in session.events)
        assert kept >= len(stage.jam.told(name)), name
    assert any(isinstance(event, Played) for event in session.events)
    for _ in range(2):
        again = run("replay", "--json")
        assert (0, "") == again.end(), dict(stage.done)


def trial(run: Run, keys: Partner, folder: Path, seed: int, faults: int) -> Counter[str]:
    """Play one session; return the faults that occurred."""
    keys.offer()
    jam = run("jam", "--json", "--key", "C", "--tempo", "120", "--seed", str(seed), "--in", "Test Keys", "--thru")
    jam.wait_until_told("ready")
    keys.listen()
    stage = Stage(jam, keys, random.Random(seed), folder)  # noqa: S311 - no secret
    play(stage, faults)
    end(stage, kills=seed % 4 == 3)
    check(stage, folder, run)
    return stage.done


@pytest.mark.timeout(300)
def test_a_session_with_faults(run: Run, partner: Partner, tmp_path: Path) -> None:
    """After three random faults no note sounds, the journal is complete, and the session replays identically."""
    assert 3 == trial(run, partner, tmp_path, seed=5, faults=3).total()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(20))
def test_twenty_sessions_with_200_faults(run: Run, partner: Partner, tmp_path: Path, seed: int) -> None:
    """The same holds for twenty sessions with ten faults each."""
    assert 10 == trial(run, partner, tmp_path, seed, faults=10).total()
