"""The doctor's findings about MIDI, on machines of all kinds; no fault stops it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from improviser.doctor import Finding, Status, clock_in, examination, examine, midi, music, report, round_trip
from improviser.doctor.midi import MidiSystem
from improviser.errors import PortError
from improviser.ports import jack
from improviser.ports.loopback import LoopbackBackend, LoopbackOutput
from tests.examined import Renamed, only, opened

PASS, WARN, FAIL = Status.PASS, Status.WARN, Status.FAIL


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's folder, without waiting for a clock."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(clock_in, "LISTEN_S", 0.0)
    return tmp_path


def openers(monkeypatch: pytest.MonkeyPatch, **backends: LoopbackBackend | str) -> None:
    """Make these MIDI systems available, and the others not, with a reason."""

    def open_backend(name: str = "auto") -> LoopbackBackend:
        """Return the system, or raise with the reason."""
        found = backends.get(name, f"no {name} here; install {name}")
        if isinstance(found, str):
            raise PortError(found)
        return found

    monkeypatch.setattr(midi, "open_backend", open_backend)


def test_findings_come_one_after_another_and_as_json() -> None:
    """All checks run in turn, and the page gets the findings as objects of text."""
    findings = examine("loopback")
    assert Finding("MIDI system", PASS, "loopback") == next(findings)
    assert "ports" == next(findings).name
    first = {"name": "MIDI system", "status": "pass", "found": "loopback", "next_step": ""}
    assert first == report("loopback")[0]


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that raises or exits becomes a finding, and all other checks run."""

    def end(_: object) -> Iterator[Finding]:
        """Raise SystemExit."""
        raise SystemExit(3)

    def divide() -> Iterator[Finding]:
        """Raise ZeroDivisionError."""
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(examination, "check_ports", end)
    monkeypatch.setattr(examination, "check_presets", divide)
    found = {finding.name: finding for finding in examine("loopback")}
    assert (FAIL, "the check failed: SystemExit: 3") == (found["ports"].status, found["ports"].found)
    assert "the check failed: ZeroDivisionError: by zero" == found["presets"].found
    assert PASS is found["model"].status


def test_a_wrong_name_is_a_finding() -> None:
    """The name of an unknown MIDI system becomes a finding."""
    assert next(examine("bach")).found.startswith("the check failed: UsageError: unknown backend 'bach'")


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_system_that_is_taken_and_why_no_other_is(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor names the MIDI system in use, and a reason for each other system of the platform."""
    monkeypatch.setattr(sys, "platform", platform)
    name = {"linux": "alsa", "darwin": "coremidi"}[platform]
    openers(monkeypatch, auto=Renamed(name))
    system = MidiSystem(None)
    assert Finding("MIDI system", PASS, f"{name}; jack: no jack here") == only(midi.check_system(system))
    openers(monkeypatch, auto=Renamed(name, "alsa-midi 1.0.4"))
    found = only(midi.check_system(system)).found
    assert f"{name} through alsa-midi 1.0.4; jack: no jack here" == found
    openers(monkeypatch, auto=Renamed(name), jack=Renamed("jack", "JACK-Client 0.5.7"))
    assert f"{name}; jack: also works, through JACK-Client 0.5.7" == only(midi.check_system(system)).found


def test_on_jack_the_doctor_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor's JACK client has another name, so that a jam started meanwhile gets the usual one."""
    names: list[str] = []

    def open_jack(name: str) -> LoopbackBackend:
        """Record the name."""
        names.append(name)
        return Renamed("jack")

    monkeypatch.setattr(jack, "open_jack", open_jack)
    openers(monkeypatch, jack=Renamed("jack"))
    assert Finding("MIDI system", PASS, "jack") == only(midi.check_system(MidiSystem("jack")))
    assert ["Improviser Doctor"] == names


@pytest.mark.parametrize(
    ("platform", "found", "step"),
    [
        (
            "linux",
            "none works, so a jam plays in the browser only; jack: no jack here; alsa: no alsa here",
            "sudo apt install jackd2",
        ),
        (
            "win32",
            "none works, so a jam plays in the browser only; winmm: no winmm here",
            "pip install --force-reinstall improviser-live",
        ),
    ],
)
def test_without_a_midi_system_a_jam_plays_in_the_browser(
    platform: str, found: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told with its reason, and how to get one; what needs one is not looked at."""
    monkeypatch.setattr(sys, "platform", platform)
    openers(monkeypatch)
    system = MidiSystem("auto")
    finding = only(midi.check_system(system))
    assert (WARN, found) == (finding.status, finding.found)
    assert finding.next_step.startswith(step)
    for check in (midi.check_ports, clock_in.check_clock):
        assert (WARN, midi.NO_SYSTEM) == (only(check(system)).status, only(check(system)).found)
    named = only(midi.check_system(MidiSystem("winmm")))
    assert (FAIL, True) == (named.status, "no winmm here" in named.found)
    assert "install winmm" == only(midi.check_system(MidiSystem("winmm"))).next_step


def test_settings_name_the_system(home: Path) -> None:
    """Without an option the user's settings are used; faulty settings are left to another check."""
    (home / "settings.toml").write_text('backend = "alsa"\n')
    assert "alsa" == MidiSystem(None).wanted
    (home / "settings.toml").write_text("backend = 3\n")
    assert "auto" == MidiSystem(None).wanted
    finding = only(music.check_presets())
    assert (WARN, True) == (finding.status, "settings.toml" in finding.found)


def test_ports_are_listed_without_our_own() -> None:
    """Up to four inputs and outputs are listed; without a keyboard the next step is given."""
    backend = Renamed()
    for name in ("Improviser Out", "Midi Through Port-0"):
        backend.open_virtual_output(name)
    finding = only(midi.check_ports(opened(backend)))
    assert (WARN, "inputs: none; outputs: none") == (finding.status, finding.found)
    assert finding.next_step.endswith("improviser demo")
    for number in range(5):
        backend.open_virtual_output(f"Keys {number}")
    backend.open_virtual_input("Synth", lambda *_: None)
    assert Finding("ports", PASS, "inputs: 'Keys 0', 'Keys 1', 'Keys 2', 'Keys 3', 1 more; outputs: 'Synth'") == only(
        midi.check_ports(opened(backend))
    )
    assert "a2jmidid" in only(midi.check_ports(opened(Renamed("jack")))).next_step


def test_windows_needs_a_loopback_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows the finding names the loopback driver, or how to get one; other systems need none."""
    assert PASS is only(midi.check_loopback_driver()).status
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "IAC" in only(midi.check_loopback_driver()).found
    monkeypatch.setattr(sys, "platform", "win32")
    openers(monkeypatch)
    assert WARN is only(midi.check_loopback_driver()).status
    backend = Renamed("winmm")
    openers(monkeypatch, winmm=backend)
    assert "loopMIDI" in only(midi.check_loopback_driver()).next_step
    backend.open_virtual_input("loopMIDI Port 1", lambda *_: None)
    assert "'loopMIDI Port 1' carries" in only(midi.check_loopback_driver()).found


def ticking(backend: LoopbackBackend, *tempos_bpm: float) -> None:
    """Make an input send a beat of clock for each tempo as soon as it is opened."""
    names = [f"Clock {number}" for number in range(len(tempos_bpm))]
    for name in names:
        backend.open_virtual_output(name)
    open_input = backend.open_input

    def open_ticking(name: str, callback: Callable[[Sequence[int], int], None]) -> object:
        """Open the input, and send the ticks."""
        tempo_bpm = tempos_bpm[names.index(name)]
        for tick in range(24):
            callback((0xF8,), round(tick * 60e9 / tempo_bpm / 24))
            callback((0x90, 60, 1), 0)
        return open_input(name, callback)

    backend.open_input = open_ticking  # type: ignore[assignment] # a double of one method


def test_the_tempo_of_a_clock_is_told() -> None:
    """One clock is reported with its tempo; none is no fault, and two are a warning."""
    quiet = Renamed()
    quiet.open_virtual_output("Keys")
    assert Finding("clock in", PASS, "no MIDI clock arrives; improviser uses its own") == only(
        clock_in.check_clock(opened(quiet))
    )
    one, two = Renamed(), Renamed()
    ticking(one, 96)
    assert Finding("clock in", PASS, "96.0 bpm from 'Clock 0'") == only(clock_in.check_clock(opened(one)))
    ticking(two, 96, 120)
    assert (WARN, "96.0 bpm from 'Clock 0', 120.0 bpm from 'Clock 1'") == (
        only(clock_in.check_clock(opened(two))).status,
        only(clock_in.check_clock(opened(two))).found,
    )


def test_messages_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The round trip time is reported, through the system or inside the program; a slow one is a warning."""
    monkeypatch.setattr(round_trip, "_PAUSES_S", (0.0, 0.0))
    found = only(round_trip.check_round_trip(opened(Renamed())))
    assert (PASS, True) == (found.status, found.found.startswith("through alsa: 0."))
    assert found.found.endswith("(50 messages)")
    for system in (None, Renamed("winmm")):
        assert only(round_trip.check_round_trip(opened(system))).found.startswith("inside this program only")
    monkeypatch.setattr(round_trip, "SLOW_MS", 0.0)
    assert (
        "close other programs, and see real-time priority above"
        == only(round_trip.check_round_trip(opened(Renamed()))).next_step
    )
    monkeypatch.setattr(round_trip, "_ALL_S", 0.0)
    assert FAIL is only(round_trip.check_round_trip(opened(Renamed()))).status


def test_a_port_that_the_other_client_sees_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another client sees only some periods later, as with PipeWire, is waited for."""
    monkeypatch.setattr(round_trip, "_PAUSES_S", (0.0, 0.0))
    system = Renamed()
    looks = [(), (), ()]  # before it is made, and twice after it
    monkeypatch.setattr(system, "output_names", lambda: looks.pop() if looks else Renamed.output_names(system))
    assert PASS is only(round_trip.check_round_trip(opened(system))).status


def test_messages_before_the_cable_carries_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages sent before a new connection carries them, as with PipeWire, do not count."""
    monkeypatch.setattr(round_trip, "_PAUSES_S", (0.0, 0.0))
    lost = [True, True, True]
    send = LoopbackOutput.send
    monkeypatch.setattr(LoopbackOutput, "send", lambda output, data: lost.pop() if lost else send(output, data))
    found = only(round_trip.check_round_trip(opened(Renamed())))
    assert (PASS, True) == (found.status, found.found.endswith("(50 messages)"))
    assert [] == lost


def test_messages_that_do_not_come_back_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost messages are counted, and a port that cannot be opened is reported."""
    monkeypatch.setattr(round_trip, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(round_trip, "_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(LoopbackOutput, "send", lambda *_: None)
    found = only(round_trip.check_round_trip(opened(Renamed())))
    assert (FAIL, "through alsa: 50 of 50 messages did not come back") == (found.status, found.found)
    backend = Renamed()
    monkeypatch.setattr(backend, "output_names", lambda: ())
    assert "does not appear" in only(round_trip.check_round_trip(opened(backend))).found
