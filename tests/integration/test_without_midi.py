"""The commands on a machine without any MIDI system: no ALSA sequencer, no JACK server."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.app.jam_settings import JamOptions, performer_settings, port_settings
from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import read_file
from improviser.ports.sequencer import ALSA_SEQUENCER
from improviser.protocol import PlayerUse
from improviser.supervisor.supervisor import Supervisor
from tests.live import CHECKOUT, Run, wait_for

pytestmark = pytest.mark.skipif(ALSA_SEQUENCER.exists(), reason="this machine has the ALSA sequencer")


@pytest.fixture(autouse=True)
def no_jack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that no JACK server answers."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "improviser-test-none")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


@pytest.mark.parametrize("command", ["demo", "jam"])
def test_the_built_in_player_jams_inside_the_program(run: Run, tmp_path: Path, command: str) -> None:
    """Both parts are shown and written to a file, and the output says what to install for real ports."""
    demo = run(command, "--bars", "1", "--tempo", "240", "--key", "C")
    assert (0, "") == demo.end()
    shown = "".join(demo.lines)
    assert "install jackd2" in shown
    assert "you: E4 E4 F4 G4" in shown
    assert "Recorded: improviser-demo.mid" in shown
    assert ["player", "improviser"] == [track.name for track in read_file(tmp_path / "improviser-demo.mid").tracks]


@pytest.mark.parametrize("shown", [(), ("--json",)])
def test_the_take_outlives_the_view(run: Run, tmp_path: Path, shown: tuple[str, ...]) -> None:
    """When the reader of its output ends, the jam ends without a message and writes what was played."""
    demo = run("demo", *shown, "--bars", "500", "--tempo", "400", "--key", "C", "--record", "take.mid")
    wait_for(lambda: any("bar   2" in line or '"played"' in line for line in demo.lines), "music")
    demo.hang_up()
    assert (1, "") == demo.end()
    notes = [event.message for event in read_file(tmp_path / "take.mid").tracks[1].events]
    assert (True, True) == (
        any(isinstance(note, NoteOn) for note in notes),
        sum(isinstance(note, NoteOn) for note in notes) == sum(isinstance(note, NoteOff) for note in notes),
    )


@pytest.mark.parametrize("path", ["", ".", str(CHECKOUT)])
def test_files_in_the_users_folder_are_no_libraries(
    tmp_path: Path, improviser_home: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the current folder with the name of a library is not imported instead of the library."""
    for name in ("rtmidi", "numpy", "mido", "queue", "improviser"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hostile')\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(improviser_home))
    monkeypatch.chdir(tmp_path)
    with Supervisor() as supervisor:
        options = JamOptions(backend="loopback", player=PlayerUse.ALWAYS, bars=1, tempo_bpm=400.0)
        supervisor.open(port_settings(options))
        supervisor.start(performer_settings(options))
        kinds = [event.event for event in supervisor.events()]
    assert ("ready", "summary") == (kinds[0], kinds[-1])


def test_what_was_asked_for_is_missed(run: Run) -> None:
    """A named port or backend that is missing is an error of one line with the next step."""
    for arguments in (("--in", "Keys"), ("--out", "Synth"), ("--backend", "jack")):
        code, fault = run("jam", *arguments).end()
        assert 1 == code
        assert 1 == fault.count("\n")
        assert "install jackd2" in fault


@pytest.mark.parametrize(
    "arguments",
    [("--key", "H"), ("--tempo", "9"), ("--record", "no/such/folder/take.mid"), ("--record", "take.txt")],
)
def test_wrong_usage_has_its_own_code(run: Run, arguments: tuple[str, str]) -> None:
    """A wrong key, number, folder or file name is exit code 2 with one line."""
    code, fault = run("jam", *arguments).end()
    assert (2, 1) == (code, fault.count("\n"))


def test_a_missing_preset_is_an_error(run: Run) -> None:
    """The error lists the available presets."""
    code, fault = run("demo", "--preset", "nothing").end()
    assert 1 == code
    there_are = "band, bass, chorale, comping, fiddle, free, jazz, lied, minimal, pop"
    assert f"improviser: no preset 'nothing' (available: {there_are})\n" == fault


def test_a_corrupt_model_is_an_error(run: Run, improviser_home: Path) -> None:
    """The error names the model's file."""
    model = improviser_home / "presets" / "models" / "fiddle.safetensors"
    whole = model.read_bytes()
    model.write_bytes(whole[:1000])
    try:
        code, fault = run("demo", "--preset", "fiddle", "--json").end()
    finally:
        model.write_bytes(whole)
    assert (1, 1) == (code, fault.count("\n"))
    assert str(model) in fault
