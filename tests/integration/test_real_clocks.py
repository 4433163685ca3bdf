"""Real programs as clock sources: Hydrogen as JACK's timebase, and `jack_midi_clock` for MIDI clock.

They come with Debian: hydrogen, jack-midi-clock, and jackd2 or jack-example-tools for `jack_transport`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.live import PATIENCE_S, Command, Partner, Run, wait_for
from tests.programs import needed

DATA = Path("/usr/share/hydrogen/data")
SONG = DATA / "demo_songs" / "GM_kit_Diddley.h2song"
SONGS_BPM = 120.0
JAM = ("jam", "--json", "--key", "C", "--seed", "1", "--in", "Improviser In")

pytestmark = [pytest.mark.jack, pytest.mark.slow]


PACKAGES = {"hydrogen": "hydrogen", "jack_midi_clock": "jack-midi-clock"}
JACKS_TOOLS = "jack-example-tools"


def program(name: str) -> str:
    """Return the path of a program."""
    return needed(PACKAGES.get(name, JACKS_TOOLS), name)


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program while the block runs; `write` to its stdin."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def programs(jack_server: str) -> Iterator[ExitStack]:
    """Keeps programs that are ended with the test."""
    del jack_server
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def jam(run: Run, partner: Partner, request: pytest.FixtureRequest) -> Command:
    """A jam that a partner listens to and can play to, with more options as the fixture's parameter."""
    command = run(*JAM, *getattr(request, "param", ()))
    command.wait_until_told("ready")
    partner.connect()
    return command


def ports() -> list[str]:
    """Return the names of all ports on the server."""
    return subprocess.run([program("jack_lsp")], capture_output=True, text=True, check=True).stdout.splitlines()


def start_clock(programs: ExitStack, *options: str) -> subprocess.Popen[str]:
    """Send JACK's transport to the jam as MIDI clock."""
    port = next(name for name in ports() if "Improviser In" in name)
    return programs.enter_context(running(program("jack_midi_clock"), *options, port))


class Transport:
    """JACK's transport, controlled by hand."""

    def __init__(self, programs: ExitStack) -> None:
        """Begin at the start of the song."""
        self._process = programs.enter_context(running(program("jack_transport")))
        self.do("stop", "locate 0")

    def do(self, *commands: str) -> None:
        """Run commands as a person would type them."""
        stream = self._process.stdin
        assert stream is not None
        for command in commands:
            stream.write(command + "\n")
            stream.flush()
            time.sleep(0.3)


def start_hydrogen(programs: ExitStack, home: Path) -> subprocess.Popen[str]:
    """Start Hydrogen as JACK's timebase with its demo song, without a screen."""
    path = program("hydrogen")
    folder = home / ".hydrogen"
    folder.mkdir(parents=True)
    text = (DATA / "hydrogen.default.conf").read_text("utf-8")
    text = re.sub("<jack_transport_mode>.*?<", "<jack_transport_mode>USE_JACK_TRANSPORT<", text)
    text = re.sub("<jack_transport_mode_master>.*?<", "<jack_transport_mode_master>USE_JACK_TIME_MASTER<", text)
    wanted = "<jack_timebase_enabled>true</jack_timebase_enabled>"
    text = re.sub("<jack_timebase_enabled>.*?</jack_timebase_enabled>", "", text)
    text = text.replace("<jack_driver>", f"<jack_driver>{wanted}", 1)
    (folder / "hydrogen.conf").write_text(text, "utf-8")
    hydrogen = programs.enter_context(
        running(path, "-n", "-d", "jack", "-s", str(SONG), HOME=str(home), QT_QPA_PLATFORM="offscreen")
    )
    wait_for(lambda: any("Hydrogen" in name for name in ports()), "Hydrogen")
    return hydrogen


@pytest.mark.parametrize(
    ("jam", "by"), [((), "JACK"), (("--clock", "midi"), "Improviser In")], ids=["transport", "midi"], indirect=["jam"]
)
def test_hydrogen_leads(jam: Command, by: str, partner: Partner, programs: ExitStack, tmp_path: Path) -> None:
    """Hydrogen's play starts the jam and its stop silences it; after the clock ends the next note wakes the jam.

    Where JACK's transport has Hydrogen's tempo and bars, `auto` takes it rather than the MIDI clock made from it.
    """
    transport = Transport(programs)
    start_hydrogen(programs, tmp_path / "home")
    clock = start_clock(programs)
    transport.do("play")
    wait_for(lambda: jam.told("started"), "the start")
    wait_for(lambda: len(partner.ons) > 3, "music")
    transport.do("stop")
    wait_for(lambda: jam.told("halted") and not partner.sounding, "the stop")
    assert by == jam.told("halted")[0]["by"]
    tempos = [event["tempo_bpm"] for event in jam.told("synced")]
    assert [SONGS_BPM] * len(tempos[24:]) == pytest.approx(tempos[24:], rel=0.01)
    # Hydrogen, which blocks the server when it is interrupted, gives up the timebase to another, which leaves.
    transport.do("activate", "master", "release")
    clock.send_signal(signal.SIGINT)
    wait_for(lambda: jam.told("detached"), "the clock's end")
    before = len(partner.ons)
    partner.play([72, 74, 76, 77] * 4, 0.5, until=lambda: len(partner.ons) > before + 2)
    assert len(partner.ons) > before
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()
    assert 0 == jam.told("summary")[0]["stuck_notes"]


def test_the_beat_goes_on_from_the_songs_place(jam: Command, programs: ExitStack) -> None:
    """After a locate within the song and a play, the jam begins there: by song position and Continue."""
    transport = Transport(programs)
    transport.do("activate", "master", "tempo 100")
    start_clock(programs, "-d", "0.2")
    transport.do(f"locate {round(48_000 * 60 / 100 * 8)}", "play")
    wait_for(lambda: jam.told("started"), "the start")
    time.sleep(3.0)
    transport.do("stop")
    wait_for(lambda: jam.told("halted"), "the stop")
    assert 100.0 == pytest.approx(jam.told("synced")[-1]["tempo_bpm"], rel=0.01)
    assert 8.0 <= jam.told("started")[0]["beat"] <= 9.0
    transport.do("exit")


def test_a_clock_without_transport_gives_its_tempo(jam: Command, partner: Partner, programs: ExitStack) -> None:
    """Ticks without a start, uneven by a tenth, are reported; their tempo is used from the first note on."""
    transport = Transport(programs)
    start_clock(programs, "-b", "97", "-B", "-T", "-J", "10")
    transport.do("play")
    wait_for(lambda: [event for event in jam.told("notice") if "bpm ticks on" in event["text"]], "a notice")
    assert not jam.told("started")
    partner.play([72, 74, 76, 77] * 4, 60 / 97, until=lambda: len(partner.ons) > 2)
    # The unevenness adds up from tick to tick, so that the tempo of some beats is off by a few percent.
    assert [97.0] == pytest.approx([event["tempo_bpm"] for event in jam.told("synced")[-1:]], rel=0.04)
    transport.do("stop", "exit")
    assert not jam.told("halted")


def test_our_clock_that_comes_back_is_not_followed(run: Run, partner: Partner) -> None:
    """The jam recognises its own clock when Improviser Out is connected to Improviser In."""
    jam = run(*JAM, "--clock-out", "--clock", "midi")
    jam.wait_until_told("ready")
    partner.connect()
    ends = [next(name for name in ports() if own in name) for own in ("Improviser Out", "Improviser In")]
    subprocess.run([program("jack_connect"), *ends], check=True, capture_output=True)
    partner.play([72, 74, 76, 77] * 3, 0.5)
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()
    assert 1 == len([event for event in jam.told("warning") if "improviser's own MIDI clock" in event["text"]])
    assert not jam.told("synced")
