"""Consonance with a late player, live over JACK: at all periods and priorities, and on other programs' grids.

pytest -m slow -s tests/integration/test_consonance_jack.py
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from improviser.evaluation.in_time.late_players import beside, spans
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.smf import read_file
from tests.integration.test_held_out import TEMPO_BPM, held_out_tune, two_minutes
from tests.integration.test_jack_transport import KNOWN_FRAMES, check_on_grid, finish, mastered, off_grid, start_ardour
from tests.integration.test_real_clocks import SONGS_BPM, Transport, ports, start_clock, start_hydrogen
from tests.live import Command, Partner, Run, StartServer, wait_for
from tests.timebase_master import song
from tests.transport_listener import TransportListener

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.timebase_master import Section

pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(1800)]

LENGTH_S: Final = 60.0
# Mean and standard deviation of how late the player is.
LATE_S, SPREAD_S = 0.02, 0.015
# What is asked for: a loss of at most three points, and chance. A minute has about 200 notes of ours.
MOST_LOST: Final = 0.03
CHANCE: Final = 0.05
PERIODS: Final = (64, 256, 1024, 2048)
# Asked for on another program's grid.
MASTERS_SHARE: Final = 0.9
# Ardour is slow to start. Hydrogen, once ended, would hold the server up for as long.
ARDOURS_PATIENCE: Final = ("-t", "10000")
PLAYING: Final = ("--preset", "fiddle", "--seed", "1")


@pytest.fixture(scope="session")
def improviser_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty user's folder, so that the shipped models are used."""
    return tmp_path_factory.mktemp("empty_home")


@pytest.mark.parametrize("timing", ["after-you", "on-grid"])
def test_consonance_does_not_depend_on_the_machine(
    timing: str, jackd: StartServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most of the common time is consonant at every period and priority, and nearly as much as where both are best."""
    score = late_score(TEMPO_BPM)
    found = {}
    for is_realtime in (True, False):
        for period in PERIODS:
            server = jackd("-S", "-t", "2000", period=period)
            found[period, is_realtime] = consonance(
                timing, run, score, tmp_path / f"{period} {is_realtime}.mid", is_realtime=is_realtime
            )
            server.terminate()
            server.wait()
    with capsys.disabled():
        for (period, is_realtime), share in found.items():
            priority = "real-time" if is_realtime else "ordinary"
            sys.stdout.write(f"\n{timing}, {period} frames, {priority}: {share:.1%} of the time consonant")
    assert min(found.values()) >= found[PERIODS[0], True] - MOST_LOST - CHANCE


@pytest.mark.parametrize("master", ["timebase", "Hydrogen", "Ardour", "jack_midi_clock"])
def test_consonance_on_a_masters_grid(
    master: str, jackd: StartServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the grid of another program nine tenths of the time are consonant, and notes are in the grid's frames."""
    jackd("-S", *ARDOURS_PATIENCE[: 2 * (master == "Ardour")], period=256)
    take = tmp_path / "take.mid"
    with ExitStack() as programs:
        sections = start_master(master, programs, tmp_path)
        clock = ("--clock", "midi") if master == "jack_midi_clock" else ()
        jam = run("jam", "--json", "--no-web", "--in", "Improviser In", *PLAYING, *clock, "--record", str(take))
        jam.wait_until_told("ready")
        grid, partner = TransportListener(), Partner()
        partner.connect()
        grid.listen()
        if clock:
            start_clock(programs)
            wait_for(lambda: any("midi_clock" in name for name in ports()), "jack_midi_clock")
            time.sleep(1.0)  # until it is connected: what it sends before is lost
        play_on(grid, jam, partner, sections[0].bpm)
        finish(jam)
        mended = [partner.frame_at(told["at_s"]) - grid.origin for told in jam.told("mended")]
        partner.close()
        grid.close()
    share = consonant_share(take)
    # What mends a clash leaves as soon as it can.
    known = [on for on in grid.ons if on > KNOWN_FRAMES and not any(0 <= on - at < KNOWN_FRAMES for at in mended)]
    with capsys.disabled():
        sys.stdout.write(f"\n{master}: {share:.1%} of the time consonant; not mended: {off_grid(known, sections)}")
    check_on_grid(jam, known, sections)
    assert share >= MASTERS_SHARE


def play_on(grid: TransportListener, jam: Command, partner: Partner, bpm: float) -> None:
    """Let the transport roll while the partner plays on its grid, from a bar line on."""
    grid.client.transport_frame = 0
    grid.client.transport_start()
    wait_for(lambda: jam.told("started"), "the start")
    bar = round(4 * 60 / bpm * 48_000)
    passed = partner.frame_at(partner.now_s) - grid.origin
    partner.perform(late_score(bpm), grid.origin + (1 + passed // bar) * bar)
    grid.client.transport_stop()
    wait_for(lambda: jam.told("halted"), "the stop")


def start_master(master: str, programs: ExitStack, home: Path) -> Sequence[Section]:
    """Start a program that leads JACK's transport; return its song."""
    if master == "Hydrogen":
        start_hydrogen(programs, home / "home")
        programs.callback(take_timebase)
    elif master == "Ardour":
        programs.callback(start_ardour(home).close)
    else:
        return programs.enter_context(mastered(f"{TEMPO_BPM} 4 4 999")).sections
    return song([f"{SONGS_BPM} 4 4 999"])


def take_timebase() -> None:
    """Take the timebase from Hydrogen, which otherwise blocks the server when it is interrupted."""
    with ExitStack() as programs:
        Transport(programs).do("activate", "master", "release")


def late_score(bpm: float) -> list[tuple[float, int, float]]:
    """Return a minute of a held-out tune at a tempo, in which all notes but the first come as late as people's."""
    rng = np.random.default_rng(0)
    slower = TEMPO_BPM / bpm
    return [
        (at_s * slower + max(0.0, float(rng.normal(LATE_S, SPREAD_S))) * (at_s > 0), note, held_s * slower)
        for at_s, note, held_s in two_minutes(held_out_tune())
        if at_s * slower < LENGTH_S
    ]


def consonance(timing: str, run: Run, score: list[tuple[float, int, float]], take: Path, *, is_realtime: bool) -> float:
    """Return the share of the common time that is consonant in a jam beside a player of `score`."""
    options = (*PLAYING, "--tempo", str(TEMPO_BPM), "--timing", timing)
    arguments = ("jam", "--json", "--no-web", "--in", "Improviser In", *options, "--record", str(take))
    jam = run(*arguments, is_ordinary=not is_realtime)
    assert is_realtime == jam.wait_until_told("ready")["realtime"]
    partner = Partner()
    try:
        partner.connect()
        partner.perform(score)
        jam.process.terminate()
        assert (0, "") == jam.end()
    finally:
        partner.close()
    return consonant_share(take)


def consonant_share(take: Path) -> float:
    """Return the share of the common time that is consonant in a recording."""
    tracks = {
        track.name: spans(
            [
                TimedMessage(event.tick, event.message)
                for event in track.events
                if isinstance(event.message, NoteOn | NoteOff)
            ]
        )
        for track in read_file(take).tracks
    }
    theirs, ours = tracks["player"], tracks["improviser"]
    shares = np.array([beside(*each, theirs) for each in ours]).sum(axis=0)
    return float(shares[1] / shares[0])
