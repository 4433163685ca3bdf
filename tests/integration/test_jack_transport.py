"""A jam that follows the JACK transport: a timebase master of ours, Hydrogen, and Ardour."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.integration.test_ardour import Ardour, ardour_command
from tests.integration.test_real_clocks import SONGS_BPM, start_hydrogen
from tests.live import CHECKOUT, PATIENCE_S, Command, Partner, Run, StartServer, wait_for
from tests.timebase_master import Section, section_at, song
from tests.transport_listener import TransportListener

pytestmark = pytest.mark.jack

PRESETS = CHECKOUT / "presets"
STEPS_PER_BEAT = 4
# The transport's start is not known before it happens, so a note on its first step leaves late.
KNOWN_FRAMES = 4_800
# Where the tempo changes within a period, it is known at the end of that period.
FRAMES_MAX = 2.0
# A machine that stands still may hold up so many notes of a trial.
HELD_UP_MAX = 2
# Enough notes of each roll to judge by.
MANY = 30
# Ardour's own settings in which it follows the JACK transport; a timebase master has to.
ARDOUR_FOLLOWS_JACK = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour><Config/><TransportMasters current="JACK"><TransportMaster type="Engine" name="JACK" collect="1" removeable="0"
sclock-synced="1" fr2997="0"/></TransportMasters></Ardour>
"""
# Two notes are at least half a step apart, at 140 beats per minute.
STEP_MIN = 2_500


class Master:
    """A timebase master of our own, as a process."""

    def __init__(self, *lines: str) -> None:
        """Start the master of a song, and wait until it is one."""
        self.sections = song(lines)
        command = [sys.executable, "-m", "tests.timebase_master", *lines]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=CHECKOUT)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def do(self, *commands: str) -> None:
        """Pass commands on."""
        assert self._process.stdin is not None
        for command in commands:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self.do("quit")
        self._process.wait(PATIENCE_S)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def mastered(*lines: str) -> Iterator[Master]:
    """Run a timebase master while the block runs."""
    master = Master(*lines)
    try:
        yield master
    finally:
        master.close()


@pytest.fixture
def grid(jack_server: str) -> Iterator[TransportListener]:
    """A listener that knows the transport."""
    del jack_server
    listener = TransportListener()
    yield listener
    listener.close()


def lone_preset(folder: Path) -> str:
    """Return the path of a preset that plays on without a player."""
    text = (PRESETS / "fiddle.toml").read_text("utf-8")
    path = folder / "lone.toml"
    path.write_text(text.replace("patience_bars = 2", "patience_bars = 0"), "utf-8")
    return str(path)


def start_jam(run: Run, folder: Path, grid: TransportListener, *options: str) -> Command:
    """Start a jam that plays by itself, on the grid, in a locked key."""
    preset = lone_preset(folder)
    jam = run(
        "jam", "--json", "--key", "C", "--seed", "1", "--no-web", "--in", "Improviser In", "--preset", preset, *options
    )
    jam.wait_until_told("ready")
    grid.listen()
    return jam


def errors(ons: Sequence[int], sections: Sequence[Section]) -> list[float]:
    """Return by how many frames each note-on is off the nearest step of the master's grid."""
    found = []
    for frame in ons:
        section = section_at(sections, frame)
        step = 60 / section.bpm * 48_000 / STEPS_PER_BEAT
        steps = (frame - section.first_frame) / step
        found.append((steps - round(steps)) * step)
    return found


def off_grid(ons: Sequence[int], sections: Sequence[Section]) -> str:
    """Return the distribution of the distances from the grid in frames, for people."""
    distances = np.abs(errors(ons, sections))
    p50, p99 = np.percentile(distances, (50, 99.9))
    return f"{len(ons)} notes, frames off the grid: p50 {p50:.2f}, p99.9 {p99:.2f}, max {distances.max():.2f}"


def check_on_grid(jam: Command, ons: Sequence[int], sections: Sequence[Section]) -> None:
    """Check that the notes are on the master's grid, but for a few that the jam tells were held up by the machine."""
    held_up = sum(played["actual_s"] - played["due_s"] > FRAMES_MAX / 48_000 for played in jam.told("played"))
    off = sorted(map(abs, errors(ons, sections)))
    assert off[-1 - min(held_up, HELD_UP_MAX)] <= FRAMES_MAX


def finish(jam: Command) -> None:
    """End a jam; nothing hangs, and nothing went wrong."""
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()
    assert 0 == jam.told("summary")[0]["stuck_notes"]


def strike(partner: Partner) -> None:
    """Play a note to the improviser. The journal of a jam without notes is not kept."""
    partner.connect()
    partner.play([60], 0.2)


def check_replay(run: Run, folder: Path) -> None:
    """Check that the journal of the jam replays identically."""
    (session,) = (folder / "state" / "sessions").glob("*.session.jsonl")
    again = run("replay", str(session), "--json")
    assert 0 == again.end()[0]
    assert again.told("replayed")[0]["identical"]


def test_a_timebase_master_leads(run: Run, grid: TransportListener, tmp_path: Path) -> None:
    """A jam with default settings starts and stops with the transport, and follows tempo and meter to the frame."""
    with mastered("181 4 4 1", "133.7 3 4 2", "97.3 6 8 1", "150 4 4 9") as master:
        jam = start_jam(run, tmp_path, grid)
        master.do("locate 0", "play")
        wait_for(lambda: jam.told("started"), "the start")
        last = master.sections[-1]
        wait_for(lambda: grid.ons and grid.ons[-1] > last.first_frame + 96_000, "the last tempo")
        master.do("stop")
        wait_for(lambda: jam.told("halted"), "the stop")
        assert "JACK" == jam.told("halted")[0]["by"]
        time.sleep(0.3)
        before = len(grid.ons), grid.stopped
        time.sleep(1.0)
        assert before == (len(grid.ons), grid.stopped)
        finish(jam)
    known = [frame for frame in grid.ons if frame > KNOWN_FRAMES]
    print(off_grid(known, master.sections))  # noqa: T201 - for a person with -s
    assert len(known) > 15
    check_on_grid(jam, known, master.sections)
    assert [[3, 4], [6, 8], [4, 4]] == [event["meter"] for event in jam.told("recounted")]
    assert "jack" == jam.told("synced")[-1]["clock"]


def test_the_music_goes_on_through_loops_and_locates(
    run: Run, grid: TransportListener, partner: Partner, tmp_path: Path
) -> None:
    """A loop that is no whole number of bars and a locate into a bar move the grid, and nothing is heard twice."""
    with mastered("140 4 4 9") as master:
        jam = start_jam(run, tmp_path, grid, "--clock", "jack")
        strike(partner)
        master.do("locate 0", "loop 41143 133715", "play")
        wait_for(lambda: len(jam.told("recounted")) > 2, "loops")
        before = len(grid.ons)
        wait_for(lambda: len(grid.ons) > before + 3, "music in the loop")
        master.do("loop 0 99999999", "locate 500000")
        wait_for(lambda: grid.ons[-1] > 600_000, "the locate")
        assert not jam.told("halted")
        finish(jam)
    print(off_grid(grid.ons, master.sections))  # noqa: T201 - for a person with -s
    # A note that was handed over before the jump leaves where the old grid had it.
    distances = np.abs(errors(grid.ons, master.sections))
    assert np.mean(distances <= FRAMES_MAX) > 0.8
    starts = np.diff(grid.ons)
    assert min(gap for gap in starts if gap > 0) > STEP_MIN
    check_replay(run, tmp_path)


def test_without_a_master_the_transport_starts_stops_and_locates(
    run: Run, grid: TransportListener, partner: Partner, tmp_path: Path
) -> None:
    """With --clock jack the position is counted at the improviser's own tempo."""
    transport = grid.client
    transport.transport_frame = 0
    jam = start_jam(run, tmp_path, grid, "--clock", "jack", "--tempo", "181", "--timing", "on-grid")
    strike(partner)
    transport.transport_start()
    wait_for(lambda: len(grid.ons) > 4, "music")
    transport.transport_frame = 1_000_000
    wait_for(lambda: grid.ons[-1] > 1_050_000, "the locate")
    transport.transport_stop()
    wait_for(lambda: jam.told("halted"), "the stop")
    finish(jam)
    settled = [frame for frame in grid.ons if KNOWN_FRAMES < frame % 1_000_000]
    assert len(settled) > 4
    check_on_grid(jam, settled, song(["181 4 4 1"]))
    check_replay(run, tmp_path)


def test_machine_control_starts_locates_and_stops(
    run: Run, grid: TransportListener, partner: Partner, tmp_path: Path
) -> None:
    """With --mmc the jam starts by play, goes on at a locate, and stops by stop, all on an input port."""
    jam = start_jam(run, tmp_path, grid, "--mmc", "--tempo", "120")
    strike(partner)
    partner.send(0xF0, 0x7F, 0x7F, 0x06, 0x01, 0xF7)
    wait_for(lambda: jam.told("halted"), "the first stop")
    partner.send(0xF0, 0x7F, 0x7F, 0x06, 0x02, 0xF7)
    wait_for(lambda: jam.told("started"), "the start")
    wait_for(lambda: grid.stopped > 2, "music")
    partner.send(0xF0, 0x7F, 0x7F, 0x06, 0x44, 0x06, 0x01, 0x60, 0x00, 0x10, 0x00, 0x00, 0xF7)
    wait_for(lambda: jam.told("recounted"), "the locate")
    assert 32.0 == jam.told("recounted")[0]["beat"]
    partner.send(0xF0, 0x7F, 0x7F, 0x06, 0x01, 0xF7)
    wait_for(lambda: len(jam.told("halted")) > 1 and not partner.sounding, "the stop")
    assert "MMC" == jam.told("halted")[0]["by"]
    finish(jam)
    check_replay(run, tmp_path)


def play_to(grid: TransportListener, jam: Command) -> None:
    """Let the transport roll, jump and roll again, until enough notes were played."""
    transport = grid.client
    transport.transport_frame = 0
    transport.transport_start()
    wait_for(lambda: len(grid.ons) > MANY, "music")
    transport.transport_frame = 12 * 96_000
    wait_for(lambda: sum(frame > 12 * 96_000 for frame in grid.ons) > MANY, "music after the locate")
    transport.transport_stop()
    wait_for(lambda: jam.told("halted"), "the stop")


@pytest.mark.slow
def test_hydrogen_as_timebase_master_leads(run: Run, grid: TransportListener, tmp_path: Path) -> None:
    """Hydrogen's beat is followed to the frame, although its ticks take 10 ms and divide the bar."""
    with ExitStack() as programs:
        start_hydrogen(programs, tmp_path / "home")
        jam = start_jam(run, tmp_path, grid)
        play_to(grid, jam)
        finish(jam)
    check_two_rolls(jam, grid)


def start_ardour(home: Path) -> Ardour:
    """Start Ardour as JACK's timebase."""
    settings = home / ".config" / Path(ardour_command()).name.removesuffix("-lua") / "config"
    settings.parent.mkdir(parents=True)
    settings.write_text(ARDOUR_FOLLOWS_JACK, "utf-8")
    ardour = Ardour(home / "ardour")
    ardour.do("master")
    return ardour


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ardour_as_timebase_master_leads(run: Run, jackd: StartServer, tmp_path: Path) -> None:
    """Ardour's beat is followed to the frame, although its ticks take 12 frames."""
    jackd("-S", "-t", "10000", period=256)
    ardour, grid = start_ardour(tmp_path), TransportListener()
    jam = start_jam(run, tmp_path, grid)
    play_to(grid, jam)
    finish(jam)
    grid.close()
    ardour.close()
    check_two_rolls(jam, grid)


def check_two_rolls(jam: Command, grid: TransportListener) -> None:
    """Check the notes of `play_to` against a grid of SONGS_BPM, but for those right after the start and the locate."""
    settled = [frame for frame in grid.ons if frame % (12 * 96_000) > KNOWN_FRAMES]
    sections = song([f"{SONGS_BPM} 4 4 1"])
    print(off_grid(settled, sections))  # noqa: T201 - for a person with -s
    check_on_grid(jam, settled, sections)
