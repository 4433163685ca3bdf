"""The JACK backend on a real server: exact frames, order, full buffers, names, connections, a server that dies."""

from __future__ import annotations

import gc
import os
import queue
import statistics
import subprocess
from collections.abc import Iterator, Sequence

import pytest

from improviser.errors import PortError
from improviser.ports.jack import MARGIN_S, JackBackend, open_jack
from tests.live import PATIENCE_S, wait_for

pytestmark = pytest.mark.jack

FRAME_S = 1 / 48_000
PERIOD_S = 128 / 48_000


@pytest.fixture(autouse=True)
def still_collector() -> Iterator[None]:
    """Switch off garbage collection, as the performer does, so that it does not delay JACK's thread."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def ours(jack_server: str) -> Iterator[JackBackend]:
    """A client."""
    del jack_server
    backend = open_jack()
    yield backend
    backend.close()


@pytest.fixture
def theirs(jack_server: str) -> Iterator[JackBackend]:
    """Another client."""
    del jack_server
    backend = open_jack()
    yield backend
    backend.close()


class Ear:
    """Records the messages it receives, with their times."""

    def __init__(self) -> None:
        """Start with no messages."""
        self.heard: list[tuple[float, bytes]] = []

    def __call__(self, data: Sequence[int], at_ns: int) -> None:
        """Record a message."""
        self.heard.append((at_ns / 1e9, bytes(data)))


def sleep_until(backend: JackBackend, at_s: float) -> None:
    """Wait by the backend's clock."""
    assert backend.clock.wait(queue.SimpleQueue[int](), at_s) is None


def full_name(names: Sequence[str], part: str) -> str:
    """Return the one name that contains `part`."""
    (name,) = (name for name in names if part in name)
    return name


def test_scheduled_messages_leave_in_their_very_frame(ours: JackBackend, theirs: JackBackend) -> None:
    """Another client receives scheduled messages in the intended frames, wherever they fall in JACK's periods."""
    output, ear = ours.open_virtual_output("Exact"), Ear()
    theirs.open_input(full_name(theirs.input_names(), "Exact"), ear)
    assert PERIOD_S + MARGIN_S == pytest.approx(output.ahead_s)
    start_s = ours.clock.now_s() + 0.1
    dues = [start_s + 0.0123 * place for place in range(60)]
    told = []
    for place, due_s in enumerate(dues):
        sleep_until(ours, due_s - output.ahead_s)
        told.append(output.send((0x90, 60, place), due_s))
    wait_for(lambda: len(ear.heard) == len(dues), "notes")
    assert list(range(60)) == [data[2] for _, data in ear.heard]
    # A machine that is too busy for JACK skips periods: the backend must then report a message as late.
    clocks_s = statistics.median(at_s - told_s for (at_s, _), told_s in zip(ear.heard, told, strict=True))
    off_s = [at_s - clocks_s - told_s for (at_s, _), told_s in zip(ear.heard, told, strict=True)]
    assert sum(abs(off) <= FRAME_S for off in off_s) >= 0.8 * len(dues)
    assert sum(abs(told_s - due_s) <= FRAME_S for told_s, due_s in zip(told, dues, strict=True)) >= 0.8 * len(dues)


def test_a_late_message_leaves_with_the_next_period(ours: JackBackend, theirs: JackBackend) -> None:
    """A message that is already due leaves as soon as possible, but after messages that were sent before it."""
    output, ear = ours.open_virtual_output("Late"), Ear()
    theirs.open_input(full_name(theirs.input_names(), "Late"), ear)
    now_s = ours.clock.now_s()
    output.send((0x90, 60, 1), now_s + 0.02)
    behind_s = output.send((0x90, 61, 1))
    late_s = output.send((0x90, 62, 1), now_s - 1)
    assert now_s + 0.02 - FRAME_S <= behind_s <= late_s
    wait_for(lambda: len(ear.heard) == 3, "notes")
    assert [60, 61, 62] == [data[1] for _, data in ear.heard]
    # The machine may stand still for a moment, but not for most of the times.
    soon = 0
    for place in range(5):
        sleep_until(ours, now_s + 0.1 + 0.01 * place)
        before_s = ours.clock.now_s()
        soon += output.send((0x90, 63, 1)) >= before_s - 2 * PERIOD_S
    assert soon >= 3
    wait_for(lambda: len(ear.heard) == 8, "the last notes")


def test_a_burst_arrives_whole_and_in_order(ours: JackBackend, theirs: JackBackend) -> None:
    """Ten thousand messages at once overflow JACK's buffer: they wait for the next periods, and none is lost."""
    output, ear = ours.open_virtual_output("Burst"), Ear()
    theirs.open_input(full_name(theirs.input_names(), "Burst"), ear)
    for number in range(10_000):
        output.send((0xE0, number % 128, number // 128))
    wait_for(lambda: len(ear.heard) == 10_000, "messages")
    assert list(range(10_000)) == [data[1] + 128 * data[2] for _, data in ear.heard]


def test_what_comes_is_stamped_with_its_frame(ours: JackBackend, theirs: JackBackend) -> None:
    """An input receives complete messages, long ones too, with their frames, which all clients share."""
    ear = Ear()
    ours.open_virtual_input("Hears", ear)
    output = theirs.open_output(full_name(theirs.output_names(), "Hears"), "Test Keys")
    start_s = theirs.clock.now_s() + 0.05
    sysex = (0xF0, 0x7D, *([5] * 300), 0xF7)
    for place, data in enumerate(((0x90, 60, 1), sysex, (0xF8,))):
        output.send(data, start_s + place * 0.01003)
    wait_for(lambda: len(ear.heard) == 3, "messages")
    assert [bytes((0x90, 60, 1)), bytes(sysex), b"\xf8"] == [data for _, data in ear.heard]
    gaps_s = [ear.heard[place + 1][0] - ear.heard[place][0] for place in range(2)]
    assert all(gap_s > -FRAME_S for gap_s in gaps_s)
    assert -FRAME_S < ear.heard[0][0] - start_s < 1.0  # later where the machine was too busy for JACK


def test_what_a_callback_raises_is_counted(ours: JackBackend, theirs: JackBackend) -> None:
    """An exception in a callback is caught and counted: JACK would never call the client again."""

    def raises(_data: Sequence[int], _at_ns: int) -> None:
        """Raise ValueError."""
        raise ValueError("no")

    port = ours.open_virtual_input("Raises", raises)
    output = theirs.open_output(full_name(theirs.output_names(), "Raises"), "Test Keys")
    output.send((0x90, 60, 1))
    output.send((0x80, 60, 0))
    wait_for(lambda: port.faults == 2, "faults")
    port.wake()  # has no effect
    port.close()
    output.send((0x90, 61, 1))
    port.close()


def test_ports_are_listed_and_numbered(ours: JackBackend, theirs: JackBackend) -> None:
    """A second port of the same name gets a number; an error about a missing port lists the existing ones."""
    first, second = ours.open_virtual_output("Twin"), ours.open_virtual_output("Twin")
    names = [name for name in theirs.input_names() if "Twin" in name]
    assert ["Twin", "Twin 2"] == [name.partition(":")[2] for name in names]
    with pytest.raises(PortError, match=r"no MIDI port 'Nobody' \(available: .*Twin"):
        theirs.open_input("Nobody", Ear())
    with pytest.raises(PortError, match="no MIDI port 'Nobody'"):
        theirs.open_output("Nobody")
    for port in (first, second):
        port.close()
    assert not any("Twin" in name for name in theirs.input_names())
    with pytest.raises(PortError, match="cannot send"):
        first.send((0xFE,))


def test_cables_are_seen_and_laid(ours: JackBackend, theirs: JackBackend) -> None:
    """The ports connected to one of our ports are known; connecting twice does no harm."""
    ours.open_virtual_output("Cabled")
    theirs.open_virtual_input("Synth", Ear())
    source, synth = full_name(ours.input_names(), "Cabled"), full_name(ours.output_names(), "Synth")
    assert () == ours.cables("Cabled")
    ours.connect(source, synth)
    ours.connect(source, synth)
    assert (synth,) == ours.cables("Cabled")
    assert ours.cables("Nobody") is None
    assert (source,) == ours.cables("Synth") or () == ours.cables("Synth")
    with pytest.raises(PortError, match="cannot connect"):
        ours.connect(source, "Nobody:here")


def test_a_cable_that_is_gone_is_noticed(ours: JackBackend, theirs: JackBackend) -> None:
    """A port that disappears and returns under its name, however quickly, is no longer connected."""
    source = theirs.open_virtual_output("Quick")
    name = full_name(ours.input_names(), "Quick")
    hears = ours.open_input(name, Ear())
    assert hears.is_plugged
    source.close()
    theirs.open_virtual_output("Quick")
    assert name in ours.input_names()
    assert not hears.is_plugged
    assert ours.open_virtual_input("Free", Ear()).is_plugged


def test_a_server_that_dies_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After the server dies, ports raise, port lists are empty, and the clock continues from its last time."""
    name = f"improviser-dies-{os.getpid()}"
    command = ["jackd", "-n", name, "--no-realtime", "-S", "-d", "dummy", "-r", "48000", "-p", "128"]
    log = (tmp_path_factory.mktemp("jack") / "jackd.log").open("wb")
    with pytest.MonkeyPatch.context() as patch, log:
        patch.setenv("JACK_DEFAULT_SERVER", name)
        server = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(_answers, "JACK server")
        backend = open_jack()
        output = backend.open_virtual_output("Orphan")
        sleep_until(backend, backend.clock.now_s() + 0.1)
        before_s = backend.clock.now_s()
        server.terminate()
        server.wait(PATIENCE_S)
        wait_for(lambda: backend.is_gone, "notice of the server's end")
        with pytest.raises(PortError, match="cannot send: the JACK server is gone"):
            output.send((0xFE,))
        with pytest.raises(PortError, match="the JACK server is gone"):
            backend.open_virtual_output("Another")
        assert ((), ()) == (backend.input_names(), backend.output_names())
        after_s = backend.clock.now_s()
        assert before_s - PERIOD_S <= after_s <= before_s + PATIENCE_S
        sleep_until(backend, after_s + 0.05)
        assert backend.clock.now_s() >= after_s + 0.05
        output.close()
        backend.close()
        backend.close()


def _answers() -> bool:
    """Return whether the server accepts a client."""
    try:
        open_jack().close()
    except PortError:
        return False
    return True


def test_what_is_relayed_leaves_in_the_frame_in_which_it_came(ours: JackBackend, theirs: JackBackend) -> None:
    """A message passed on in the callback does not wait for messages that are due later."""
    output, ear, sent = ours.open_virtual_output("Thru Out"), Ear(), Ear()
    ours.open_virtual_input("Thru In", lambda data, at_ns: output.relay(data, at_ns / 1e9))
    theirs.open_input(full_name(theirs.input_names(), "Thru Out"), ear)
    ours.open_virtual_input("Witness", sent)
    keys = theirs.open_virtual_output("Keys")
    source = full_name(theirs.input_names(), "Keys")
    for name in ("Thru In", "Witness"):
        theirs.connect(source, full_name(theirs.output_names(), name))
    sleep_until(theirs, theirs.clock.now_s() + 4 * PERIOD_S)
    start_s = theirs.clock.now_s() + theirs.period_s + MARGIN_S
    output.send((0x91, 1, 1), ours.clock.now_s() + ours.period_s + MARGIN_S + 0.2)
    for place in range(8):
        keys.send((0x90, 60 + place, 90), start_s + place * 0.001)
    wait_for(lambda: len(ear.heard) == 9 and len(sent.heard) == 8, "what was relayed")
    assert 0x91 == ear.heard[-1][1][0]
    spans = [back_s - at_s for (back_s, _), (at_s, _) in zip(ear.heard, sent.heard, strict=False)]
    # The offset between the frames of two clients is constant, except for the one round that leads back to `theirs`.
    assert max(spans) - min(spans) <= FRAME_S
