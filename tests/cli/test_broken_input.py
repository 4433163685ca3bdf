"""Broken input: one line that names the next step, no traceback, no partial file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from improviser.agent.checkpoint import save_model
from improviser.cli import main
from improviser.config.resources import shipped_folder
from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import TimedEvent, Track, write_file
from tests.cli.conftest import Refuse
from tests.cli.corpus import write_tiny_corpus
from tests.full_disk import full_disk
from tests.tiny_network import SMALL, make_weights
from tests.written import TUNE, to_song, to_track

ENDLESS = Track("", (TimedEvent(0, NoteOn(0, 60, 1)), TimedEvent(0x0FFFFFFF, NoteOff(0, 60))))
RENDER = ("render", "player.mid", "-o", "out.mid")
AGAIN = "save or download it again"


def midi_bytes(*tracks: Track | str) -> bytes:
    """Return the bytes of a file with these tracks."""
    write_file("scratch.mid", to_song(*tracks))
    data = Path("scratch.mid").read_bytes()
    Path("scratch.mid").unlink()
    return data


def with_type(kind: int) -> bytes:
    """Return a valid file whose header says another type."""
    data = midi_bytes(TUNE)
    return data[:8] + kind.to_bytes(2, "big") + data[10:]


# The content of the file, and how the error begins and ends.
FILES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (bytes, "player.mid: not a MIDI file", "give another one"),
    "garbage": (lambda: bytes(range(256)) * 4, "player.mid: not a MIDI file", "give another one"),
    "text": (lambda: b"C4 D4 E4\n", "player.mid: not a MIDI file", "give another one"),
    "header alone": (lambda: midi_bytes(TUNE)[:14], "player.mid: holds no track", AGAIN),
    "half a header": (lambda: midi_bytes(TUNE)[:9], "player.mid: truncated within its header", AGAIN),
    "type 2": (lambda: with_type(2), "player.mid: a MIDI file of type 2", "save it as type 0 or 1"),
    "SMPTE time": (
        lambda: midi_bytes(TUNE)[:12] + b"\xe7\x28" + midi_bytes(TUNE)[14:],
        "player.mid: counts time in SMPTE frames",
        "save it with ticks per quarter note",
    ),
    "no track": (midi_bytes, "the player has no notes except drums in no track", "use --player-track"),
    "no notes": (lambda: midi_bytes(Track("", ())), "the player has no notes", "use --player-track"),
    "drums": (lambda: midi_bytes(to_track(TUNE, channel=9)), "the player has no notes", "use --player-track"),
    "no end": (lambda: midi_bytes(ENDLESS), "the player's part lasts 2,796,202 beats", "at most 20,000"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_played(name: str, refuse: Refuse) -> None:
    """A file that is not music for one player is refused, and nothing is written."""
    make_bytes, start, end = FILES[name]
    Path("player.mid").write_bytes(make_bytes())
    reason = refuse(1, *RENDER)
    assert (start, end) == (reason[: len(start)], reason[-len(end) :])
    assert ["player.mid"] == [path.name for path in Path().iterdir()]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none.mid", "No such file or directory"),
        (".", "Is a directory"),
        ("none/a.mid", "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read(path: str, reason: str, refuse: Refuse) -> None:
    """A path that is not a file is reported with the system's reason."""
    told = refuse(1, "render", path, "-o", "out.mid")
    assert f"{path}: cannot be read: {reason}; give the path of a MIDI file" == told


@pytest.fixture
def player() -> None:
    """Write a valid file."""
    write_file("player.mid", to_song(TUNE))


@pytest.mark.usefixtures("player")
@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--preset", "fidle"], 1, "no preset 'fidle'; did you mean 'fiddle'? (available: "),
        (["--preset", "none.toml"], 1, "none.toml: cannot be read: No such file or directory"),
        (["--key", "H"], 2, "'H' is not a key. Write a tonic, and m for minor, as in C, F#, Am or Bbm, or auto"),
        (["--player-track", "2"], 2, "no track 2; --player-track takes a number, a name or "),
        (["--player-track", "0"], 2, "no track 0; --player-track takes a number, a name or "),
        (
            ["--meter", "4/5"],
            2,
            "'4/5' is not a supported meter. Write it as 3/4 or 7/8: the lower number is ",
        ),
        (["--pickup", "4"], 2, "a pickup of 4 quarter notes fills a bar of 4/4; give less than 4"),
        (["--pickup", "-1"], 2, "Invalid value for '--pickup': "),
        (["--swing", "0.9"], 2, "Invalid value for '--swing': "),
        (["--channel", "17"], 2, "Invalid value for '--channel': "),
        (["--program", "0"], 2, "Invalid value for '--program': "),
        (["--seed", "-1"], 2, "Invalid value for '--seed': "),
        (["more.mid"], 2, "Got unexpected extra argument"),
        (["--sed", "1"], 2, "No such option: --sed"),
    ],
)
def test_a_wrong_argument(arguments: list[str], code: int, reason: str, refuse: Refuse) -> None:
    """A wrong argument of render is reported, and nothing is written."""
    assert reason == refuse(code, *RENDER, *arguments)[: len(reason)]
    assert not Path("out.mid").exists()


@pytest.mark.usefixtures("player")
@pytest.mark.parametrize("command", [("render", "player.mid"), ("compose", "--bars", 2)])
@pytest.mark.parametrize(
    ("out", "reason"), [("none/out.mid", "No such file or directory"), ("folder.mid", "Is a directory")]
)
def test_an_output_that_cannot_be(command: tuple[object, ...], out: str, reason: str, refuse: Refuse) -> None:
    """An output that cannot be written is reported with the system's reason."""
    Path("folder.mid").mkdir()
    told = refuse(1, *command, "-o", out)
    assert f"{out}: cannot be written: {reason}; choose another place" == told


@pytest.mark.usefixtures("player")
@pytest.mark.parametrize("command", [("render", "player.mid"), ("compose", "--bars", 2)])
def test_a_full_disk(command: tuple[object, ...], refuse: Refuse) -> None:
    """On a full disk the old file stays unchanged, and no partial file remains."""
    Path("out.mid").write_bytes(b"old")
    with full_disk():
        told = refuse(1, *command, "-o", "out.mid")
    assert "out.mid: cannot be written: File too large; choose another place" == told
    assert b"old" == Path("out.mid").read_bytes()
    assert ["out.mid", "player.mid"] == sorted(path.name for path in Path().iterdir())


def garbage(path: Path) -> None:
    """Write a file that is no model."""
    path.write_bytes(b"\x08" + bytes(999))


def truncated(path: Path) -> None:
    """Write the first half of a model."""
    data = (shipped_folder("presets") / "models" / "chorale.safetensors").read_bytes()
    path.write_bytes(data[: len(data) // 2])


def other(path: Path) -> None:
    """Write a model that was trained on other observations."""
    save_model(path, SMALL, {"prior": make_weights(), "q": make_weights()}, {})


@pytest.mark.usefixtures("player")
@pytest.mark.parametrize(
    ("make_model", "reason"),
    [(garbage, "is corrupt ("), (truncated, "is corrupt ("), (other, "was trained for another observation: ")],
)
@pytest.mark.parametrize(
    "command",
    [RENDER, ("compose", "-o", "out.mid"), ("evaluate",), ("bench", "decision")],
    ids=lambda command: command[0],
)
def test_a_model_that_is_none(
    command: tuple[str, ...], make_model: Callable[[Path], None], reason: str, refuse: Refuse
) -> None:
    """An invalid model is reported with its path and how to get another one, before any work is done."""
    path = Path("config/presets/models/chorale.safetensors")
    path.parent.mkdir(parents=True)
    make_model(path)
    told = refuse(1, *command)
    start = f"the model {path.resolve()} {reason}"
    assert (start, "train it with `improviser train`") == (told[: len(start)], told[-32:])
    assert not Path("out.mid").exists()


@pytest.mark.usefixtures("player")
@pytest.mark.parametrize("command", [RENDER, ("compose", "-o", "out.mid"), ("evaluate",), ("bench", "engine")])
def test_a_model_that_is_missing(command: tuple[str, ...], refuse: Refuse) -> None:
    """A preset without its model is reported with how to get one."""
    text = (shipped_folder("presets") / "chorale.toml").read_text("utf-8")
    Path("own.toml").write_text(text.replace("chorale.safetensors", "none.safetensors"), "utf-8")
    told = refuse(1, *command, "--preset", "own.toml")
    assert told.startswith("no model at ")
    assert told.endswith("none.safetensors; train it with `improviser train` or choose another preset")


@pytest.mark.parametrize(
    "command", ["render player.mid -o out.mid", "compose -o out.mid", "train", "evaluate", "bench"]
)
def test_a_preset_with_faults(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault in a preset file has its own line, and nothing else is done."""
    write_file("player.mid", to_song(TUNE))
    text = (shipped_folder("presets") / "chorale.toml").read_text("utf-8")
    faulty = text.replace("harmony = ", "harmonie = ", 1).replace("schema_version = 1", "schema_version = 7")
    Path("own.toml").write_text(faulty, "utf-8")
    assert 1 == main([*command.split(), "--preset", "own.toml"])
    captured = capsys.readouterr()
    expected = [
        "improviser: own.toml: schema_version = 7: should be 1",
        "own.toml: reward.harmony: missing but required",
        "own.toml: reward.harmonie = 1.0: unknown key; did you mean 'harmony'?",
    ]
    assert ("", expected) == (captured.out, captured.err.splitlines())
    assert not Path("out.mid").exists()


@pytest.mark.parametrize("name", ["torch", "music21", "gymnasium"])
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_without_what_training_takes(command: str, name: str, monkeypatch: pytest.MonkeyPatch, refuse: Refuse) -> None:
    """A missing training library is named with the command that installs it."""
    monkeypatch.setitem(sys.modules, name, None)
    assert f'this needs {name}; install with: pip install "improviser-live[train]"' == refuse(1, command)


def test_a_finder_that_refuses(monkeypatch: pytest.MonkeyPatch, refuse: Refuse) -> None:
    """A library whose import is forbidden counts as missing."""

    class Forbidding(MetaPathFinder):
        """Raises for one library."""

        def find_spec(self, fullname: str, *_: object) -> None:
            """Raise for that library."""
            if fullname == "gymnasium":
                raise ModuleNotFoundError(fullname)

    monkeypatch.delitem(sys.modules, "gymnasium", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Forbidding(), *sys.meta_path])
    assert "this needs gymnasium; install with: " in refuse(1, "train")


def test_playing_needs_nothing_of_training() -> None:
    """Rendering a file and composing a piece work without any training library."""
    write_file("player.mid", to_song(TUNE))
    code = """
import sys
sys.modules.update(dict.fromkeys(("torch", "music21", "gymnasium")))
from improviser.cli import main
sys.exit(main(["render", "player.mid", "-o", "a.mid"]) or main(["compose", "-o", "b.mid", "--bars", "2"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (0, True, True) == (done.returncode, Path("a.mid").exists(), Path("b.mid").exists())


def test_a_cache_that_cannot_be_written(refuse: Refuse) -> None:
    """Where the corpus cannot be cached, the error says how to name another folder."""
    Path("cache").write_bytes(b"")
    reason = f"cannot write the corpus cache to {Path('cache').resolve()}: "
    told = refuse(1, "evaluate")
    assert (reason, "set IMPROVISER_CACHE_DIR to another folder") == (told[: len(reason)], told[-42:])


def test_a_run_that_cannot_be_saved(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the state of a training run cannot be saved, the last line says so."""
    write_tiny_corpus(Path("cache"))
    Path("cache/training").write_bytes(b"")
    assert 1 == main(["train", "--preset", "fiddle", "--prior-updates", "1", "--transitions", "64"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("improviser: cannot write the model ")
    assert last.endswith("; check the disk and the folder")
