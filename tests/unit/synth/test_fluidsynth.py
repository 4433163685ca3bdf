"""Starting, connecting and ending fluidsynth, with a script in place of the program."""

from __future__ import annotations

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from improviser.errors import PortError
from improviser.ports import jack
from improviser.ports.loopback import LoopbackBackend
from improviser.protocol import Changed, Event, Notice, Warned
from improviser.synth import fluidsynth, soundfont, synth_process
from improviser.synth import synth_connection as synth_cable
from improviser.synth.fluidsynth import Fluidsynth
from improviser.synth.synth_connection import connecting, drivers
from improviser.synth.synth_process import SynthProcess
from tests.live import wait_for
from tests.performing import ENGINE, performer_settings, ready

# Records its arguments and the input of its shell; ends at the end of its input, or as a file says.
PRETENDER = """#!{python}
import pathlib, signal, sys
folder = pathlib.Path({folder!r})
with (folder / "started").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
if (folder / "broken").exists():
    sys.exit("fluidsynth: error: no sound card")
if (folder / "stubborn").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("Type 'help' for help topics.", flush=True)
for line in sys.stdin:
    with (folder / "told").open("a") as file:
        file.write(line)
    if line.startswith("crash"):
        sys.exit("fluidsynth: panic: out of memory")
    if line.startswith("quit") and not (folder / "stubborn").exists():
        break
while (folder / "stubborn").exists():
    signal.pause()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the script, alone on the PATH, and an empty soundfont."""
    program = tmp_path / "fluidsynth"
    program.write_text(PRETENDER.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "Small.sf2").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMPROVISER_SOUNDFONT", str(tmp_path / "Small.sf2"))
    return tmp_path


@pytest.fixture
def told() -> list[Event]:
    """The events reported by the synthesizer."""
    return []


@pytest.fixture
def sound(folder: Path, told: list[Event]) -> Iterator[Fluidsynth]:
    """The synthesizer of a jam on a system without connections."""
    del folder
    with Fluidsynth(told.append) as synthesizer:
        yield synthesizer


def starts(folder: Path) -> list[list[str]]:
    """Return the arguments of each start."""
    path = folder / "started"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def texts(events: list[Event], kind: type[Notice | Warned]) -> list[str]:
    """Return the texts of notices and warnings."""
    return [event.text for event in events if isinstance(event, Notice | Warned) and isinstance(event, kind)]


def test_it_is_started_told_of_and_ended(folder: Path, sound: Fluidsynth, told: list[Event]) -> None:
    """The program starts with the performer, with its shell on a pipe, and quits with the jam."""
    sound.follow(Notice("not yet"))
    assert [] == starts(folder)
    sound.follow(ready(backend="coremidi"))
    wait_for(lambda: told, "notice")
    assert [Notice("fluidsynth sounds with Small.sf2")] == told
    wait_for(lambda: starts(folder), "start")
    (arguments,) = starts(folder)
    assert ["-a", "coreaudio", "-m", "coremidi", "-o", "midi.autoconnect=1"] == arguments[:6]
    assert ["-g", "2.0", str(folder / "Small.sf2")] == arguments[-3:]
    assert not {"-i", "-s", "-is"} & set(arguments)
    sound.close()
    sound.close()
    sound.follow(ready(backend="coremidi"))
    assert "quit\n" == (folder / "told").read_text()
    assert (1, 1) == (len(starts(folder)), len(told))


def test_the_program_that_is_asked_for_is_chosen(folder: Path, told: list[Event]) -> None:
    """The preset's program is selected again, because its message may have come too early."""
    settings = performer_settings(program=24, engine=ENGINE | {"channel": 3})
    with Fluidsynth(told.append, settings) as sound:
        sound.follow(ready(backend="coremidi"))
        wait_for(lambda: told, "notice")
        sound.follow(Changed("y", "", "", "", {"channel": 3}, 40))
        sound.follow(ready(backend="coremidi"))
        wait_for(lambda: len(told) == 2, "second notice")
    assert ["prog 3 24", "quit", "prog 3 40", "quit"] == ((folder / "told").read_text().splitlines())


def test_one_that_ends_is_told_of_with_its_last_words(folder: Path, sound: Fluidsynth, told: list[Event]) -> None:
    """A program that ends is reported with its last words; the next performer starts another one."""
    (folder / "broken").touch()
    sound.follow(ready(backend="coremidi"))
    wait_for(lambda: texts(told, Warned), "warning")
    assert ["fluidsynth has ended (error: no sound card); the music goes on without its sound"] == texts(told, Warned)
    (folder / "broken").unlink()
    sound.follow(ready(backend="coremidi"))
    wait_for(lambda: len(starts(folder)) == 2 and texts(told, Notice), "another start")


def test_how_it_ended_is_told(folder: Path) -> None:
    """The report has the last words, the signal, or the exit code."""
    ends: list[str] = []
    process = SynthProcess([str(folder / "fluidsynth")], ends.append)
    process.send_command("crash")
    wait_for(lambda: ends, "end")
    process.send_command("nobody reads this")
    process.end()
    assert ["panic: out of memory"] == ends
    for code, end in (("import os; os.kill(os.getpid(), 9)", "signal 9"), ("exit(3)", "code 3")):
        ends.clear()
        other = SynthProcess([sys.executable, "-c", code], ends.append)
        wait_for(lambda: ends, "end")
        other.end()
        assert [end] == ends
        assert not other.is_running


def test_one_that_does_not_go_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does not quit is asked by its shell, then by a signal, then killed, without a report."""
    for name in ("_GENTLE_S", "_TERMINATE_S"):
        monkeypatch.setattr(synth_process, name, 0.05)
    (folder / "stubborn").touch()
    ends: list[str] = []
    process = SynthProcess([str(folder / "fluidsynth")], ends.append)
    wait_for(lambda: starts(folder), "start")
    process.end()
    process.end()
    assert (False, []) == (process.is_running, ends)


@pytest.mark.parametrize(
    ("platform", "command"),
    [
        ("linux", "sudo apt install fluidsynth fluid-soundfont-gm"),
        ("darwin", "brew install fluid-synth"),
        ("win32", "scoop install fluidsynth"),
    ],
)
def test_what_is_missing_is_told(
    platform: str,
    command: str,
    folder: Path,
    sound: Fluidsynth,
    told: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing program is reported with the command that installs it, and that the page can sound."""
    (folder / "fluidsynth").unlink()
    monkeypatch.delenv("IMPROVISER_SOUNDFONT")
    monkeypatch.setattr(sys, "platform", platform)
    if platform == "win32":  # from Python 3.12 on `which` asks Windows itself
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    sound.follow(ready())
    wait_for(lambda: told, "warning")
    (text,) = texts(told, Warned)
    assert text.startswith("no sound: fluidsynth is not installed; ")
    assert command in text
    assert text.endswith("or open the page of the jam instead, which has sound of its own")


def test_without_a_soundfont_it_is_told_how_to_get_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names no file is reported; without the variable the usual places are searched."""
    monkeypatch.setenv("IMPROVISER_SOUNDFONT", str(folder / "none.sf2"))
    assert f"IMPROVISER_SOUNDFONT names no file: {folder / 'none.sf2'}" == soundfont.missing()
    assert "name a file that is there in IMPROVISER_SOUNDFONT" == soundfont.how_to_install()
    monkeypatch.delenv("IMPROVISER_SOUNDFONT")
    monkeypatch.setattr(soundfont, "SOUNDFONTS", (str(folder / "none.sf2"), str(folder / "Small.sf2")))
    assert folder / "Small.sf2" == soundfont.find_soundfont()
    monkeypatch.setattr(soundfont, "SOUNDFONTS", ())
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "fluidsynth finds no soundfont" == soundfont.missing()
    assert soundfont.how_to_install().startswith("save a General MIDI soundfont")


def test_what_it_cannot_hear_is_told(folder: Path, sound: Fluidsynth, told: list[Event]) -> None:
    """Without a MIDI system, or on another output port, no synthesizer is started, and that is reported."""
    sound.follow(ready(backend="loopback"))
    sound.follow(ready(is_virtual=False, sends_on="Piano"))
    wait_for(lambda: len(told) == 2, "warnings")
    first, second = texts(told, Warned)
    assert first.startswith("no sound: there is no MIDI system")
    assert "no sound of our own: 'Piano' is played on; leave --out away to let fluidsynth sound" == second
    assert [] == starts(folder)


def test_one_that_does_not_start_is_told(folder: Path, sound: Fluidsynth, told: list[Event]) -> None:
    """A program that cannot be run is reported, with the page as an alternative."""
    (folder / "fluidsynth").write_text("#!/none")
    sound.follow(ready(backend="coremidi"))
    wait_for(lambda: told, "warning")
    assert "does not start (No such file or directory)" in texts(told, Warned)[0]


def test_one_that_is_not_connected_is_told(
    sound: Fluidsynth, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server is gone the user is asked to connect the synthesizer."""

    def refuse() -> None:
        """Raise as without a server."""
        raise PortError("no server")

    monkeypatch.setattr(jack, "open_jack", refuse)
    monkeypatch.setattr(fluidsynth, "_PORT_S", 0.0)
    sound.follow(ready(backend="jack"))
    wait_for(lambda: told, "warning")
    assert texts(told, Warned)[0].startswith(
        "fluidsynth is not connected: connect 'Improviser Out' to it; or open the page"
    )


def test_alsas_tool_connects_it(
    folder: Path, sound: Fluidsynth, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With aconnect only the improviser is connected, also the next performer; without it every source is."""
    options = drivers(ready(backend="alsa"), "x")
    assert ["-a", "alsa", "-m", "alsa_seq"] == options[:4]
    assert options[-1] == "midi.autoconnect=1"
    tool, calls = folder / "aconnect", folder / "calls"
    tool.write_text(
        f'#!{sys.executable}\nimport sys\nwith open({str(calls)!r}, "a") as file:\n'
        '    print(*sys.argv[1:], sep="|", file=file)\n'
    )
    tool.chmod(0o755)
    (folder / "pulse").mkdir()
    (folder / "pulse" / "native").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    assert ["-a", "pulseaudio"] == drivers(ready(backend="alsa"), "x")[:2]
    for _ in range(2):
        sound.follow(ready(backend="alsa"))
    wait_for(lambda: calls.exists() and len(calls.read_text().splitlines()) == 2, "aconnect")
    first, second = calls.read_text().splitlines()
    assert first == second
    assert first.startswith("Improviser Out:0|FLUID Synth (fluidsynth-")
    wait_for(lambda: starts(folder) and told, "its start")
    assert (1, 1) == (len(told), len(starts(folder)))


@pytest.mark.parametrize(
    ("answer", "is_connected"),
    [("sys.exit('Connection is already subscribed')", True), ("sys.exit('no client')", False)],
)
def test_what_alsas_tool_says_counts(answer: str, is_connected: bool, folder: Path) -> None:  # noqa: FBT001 - a parameter
    """An existing connection counts as connected, and a client that is not there yet is tried again."""
    tool = folder / "aconnect"
    tool.write_text(f"#!{sys.executable}\nimport sys\n{answer}\n")
    tool.chmod(0o755)
    with connecting(ready(backend="alsa")) as connect:
        assert is_connected is connect("x")
        tool.write_text("#!/none")
        assert not connect("x")


def test_on_windows_it_listens_to_the_loopback_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """The synthesizer's input is the loopback port that is played on, or the default without one."""
    backend = LoopbackBackend()
    for name in ("Keys 0", "loopMIDI Port 1"):
        backend.open_virtual_output(name)
    monkeypatch.setattr(synth_cable, "open_backend", lambda _: backend)
    winmm: Callable[[str], str] = lambda name: drivers(ready(backend="winmm", sends_on=name), "x")[-1]  # noqa: E731
    assert "midi.winmidi.device=1" == winmm("loopMIDI Port 3")
    assert "midi.winmidi.device=default" == winmm("Other 2")
