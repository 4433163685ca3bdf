"""`ctl`, `midi-learn` and `save`: steering from the command line, and what is saved."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from improviser.agent.checkpoint import load_model, set_to_bytes, upper_layer_shapes
from improviser.app.jam_settings import JamOptions, performer_settings
from improviser.cli import main
from improviser.config import resources
from improviser.config.control_file import bind_control
from improviser.config.device import load_device
from improviser.config.preset import load_preset
from improviser.errors import ConfigError
from improviser.files import bytes_digest
from improviser.performer.preset_switcher import PresetSwitcher
from improviser.ports import loopback
from improviser.protocol import (
    Adopted,
    Changed,
    Choose,
    CountIn,
    Judged,
    Knob,
    Locked,
    Synced,
    Turn,
    Turned,
    value_to_line,
)
from improviser.remote.control_socket import ControlSocket
from improviser.supervisor.state import State
from tests.cli.conftest import Refuse, Run, RunJson
from tests.written import write_session

PAGE = "http://127.0.0.1:8765/TOKEN/"
PORT = "Grand Piano MK9 MIDI 1"


@pytest.fixture(autouse=True)
def state_folder(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder for sessions and running jams."""
    monkeypatch.setenv("IMPROVISER_STATE_DIR", str(own_folder / "state"))
    return own_folder / "state"


@pytest.fixture
def told() -> Iterator[list[object]]:
    """The commands that a running jam receives."""
    told: list[object] = []
    state = State()
    state.begin(performer_settings(JamOptions(preset="fiddle")))

    def obey(command: object) -> None:
        """Record a command."""
        told.append(command)
        if isinstance(command, Turn):
            state.apply(Turned(command.knob, command.position))
        if isinstance(command, Choose):
            preset_switcher.ask(command.preset)

    preset_switcher = PresetSwitcher(performer_settings(JamOptions(preset="fiddle")), told.append, state.apply)
    remote = ControlSocket(resources.control_folder(), state, obey, PAGE)
    yield told
    remote.close()


def test_a_knob_is_turned(told: list[object], run: Run, run_json: RunJson) -> None:
    """`ctl` turns a knob and shows the jam's state."""
    assert "harmony 1.50" in run("ctl", "harmony", "1.5")
    assert [Turn(Knob.HARMONY, 1.5)] == told
    (state,) = run_json("ctl")
    assert ("fiddle", False, 112.0) == (state["preset"], state["mute"], state["tempo_bpm"])
    assert "Preset fiddle, 112 bpm" in run("ctl")


def test_a_count_in_is_asked_for(told: list[object], run: Run) -> None:
    """`ctl count-in` asks for one bar, or for as many as its value says."""
    run("ctl", "count-in")
    run("ctl", "count-in", "2")
    assert [CountIn(1), CountIn(2)] == told


def test_a_preset_that_the_jam_has_not_is_refused(
    told: list[object], refuse: Refuse, capsys: pytest.CaptureFixture[str], run: Run
) -> None:
    """An unknown preset is refused with exit code 1 and the available ones; the next command is not affected."""
    reason = refuse(1, "ctl", "preset", "polka")
    assert "cannot switch to 'polka'; presets with this time grid: " in reason
    assert {"chorale", "fiddle", "minimal"} <= set(reason.partition(": ")[2].split(", "))
    assert 1 == main(["ctl", "preset", "polka", "--json"])
    captured = capsys.readouterr()
    assert ("preset", reason) == tuple(json.loads(captured.out)[name] for name in ("refused_what", "refused"))
    assert f"improviser: {reason}\n" == captured.err
    assert "polka" not in run("ctl", "harmony", "1.5")
    assert [Choose("polka"), Choose("polka"), Turn(Knob.HARMONY, 1.5)] == told


@pytest.mark.usefixtures("told")
def test_the_address_of_the_page_is_told_again(run: Run, run_json: RunJson) -> None:
    """The page's address is printed as a line or as JSON, and is not part of the jam's state."""
    assert f"{PAGE}\n" == run("ctl", "page")
    assert [{"event": "page", "url": PAGE}] == run_json("ctl", "page")
    assert PAGE not in str(run_json("ctl"))


def test_a_jam_without_a_page_says_so(refuse: Refuse) -> None:
    """A jam without a page is reported with how to get one."""
    remote = ControlSocket(resources.control_folder(), State(), print)
    assert "this jam has no page. Start it without --no-web" == refuse(1, "ctl", "page")
    remote.close()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("harmoni", "1"), "did you mean 'harmony'?"),
        (("harmony",), "takes a value from 0 to 2"),
        (("harmony", "2.5"), "takes a value from 0 to 2"),
        (("harmony", "nan"), "takes a value from 0 to 2"),
        (("tempo", "2"), "takes a value from 20 to 400"),
        (("tempo", "1000"), "tempo takes a value from 20 to 400, not 1000: improviser ctl tempo 200"),
        (("key", "H"), "'H'"),
        (("page", "1"), "page takes no value: improviser ctl page"),
        (("like", "1"), "like takes no value: improviser ctl like"),
        (("count-in", "9"), "count-in takes 1 to 8 bars, not 9: improviser ctl count-in 2"),
        (("count-in", "two"), "count-in takes 1 to 8 bars, not two"),
    ],
)
def test_wrong_words_are_refused(refuse: Refuse, words: tuple[str, ...], reason: str) -> None:
    """Wrong words are refused with the right ones."""
    assert reason in refuse(2, "ctl", *words)


def test_without_a_jam_that_is_told(refuse: Refuse) -> None:
    """Without a running jam the error says how to start one."""
    assert "no jam is running. Start one with: improviser jam" == refuse(1, "ctl", "like")


def test_a_new_controller_gets_a_file() -> None:
    """A new controller gets a device file with its controls; a control that is learned again replaces the old one."""
    path = bind_control(PORT, "control_change", 21, 0, "harmony")
    bind_control(PORT, "note", 36, 9, "mute")
    bind_control(PORT, "control_change", 21, 1, "density")
    bind_control(PORT, "control_change", 22, 0, "harmony")
    assert path.name == "grand_piano_mk9_midi_1.toml"
    device = load_device(path)
    assert {
        ("control_change", 22, 0, "harmony"),
        ("control_change", 21, 1, "density"),
        ("note", 36, 9, "mute"),
    } == {row[1:] for row in device.bindings()}
    assert device.matches(PORT)


def test_a_known_controller_is_copied_and_changed() -> None:
    """The user's file is a copy of the shipped one with its comments, and hides it."""
    shipped = load_device(resources.device_paths()["novation_launchkey_mk2"])
    path = bind_control("Launchkey MK2 25 MIDI 1", "control_change", 28, 0, "harmony")
    assert resources.config_folder() in path.parents
    assert path.read_text("utf-8").startswith("# For the models with 25, 49 and 61 keys")
    mine = {control.number: control.action for control in load_device(path).controls}
    theirs = {control.number: control.action for control in shipped.controls}
    assert ("harmony", None) == (mine[28], mine[21])
    assert {number: mine[number] for number in mine if number not in {21, 28}} == {
        number: theirs[number] for number in theirs if number not in {21, 28}
    }


def test_a_file_of_one_table_is_kept_whole() -> None:
    """A device file with its controls in one list, as in devices/README.md, keeps all of them."""
    readme = (Path(resources.__file__).parents[2] / "devices" / "README.md").read_text("utf-8")
    path = resources.config_folder() / "devices" / "mine.toml"
    path.parent.mkdir(parents=True)
    path.write_text(readme.split("```toml")[1].split("```")[0], "utf-8")
    before = {row[1:] for row in load_device(path).bindings()}
    assert path == bind_control("Maker Model MIDI 1", "control_change", 90, 0, "echo")
    assert before | {("control_change", 90, 0, "echo")} == {row[1:] for row in load_device(path).bindings()}


def test_names_of_alsa_through_jack_are_known_again() -> None:
    """A device matches names of ALSA ports in JACK, whose numbers change between starts."""
    path = bind_control("a2j:Keys [20] (capture): Keys MIDI 1", "control_change", 1, 0, "echo")
    device = load_device(path)
    assert device.matches("a2j:Keys [24] (capture): Keys MIDI 1")
    assert not device.matches("a2j:Other [24] (capture): Keys MIDI 1")


def test_a_broken_file_is_told() -> None:
    """A broken device file is reported and not overwritten."""
    path = resources.config_folder() / "devices" / "grand_piano_mk9_midi_1.toml"
    path.parent.mkdir(parents=True)
    path.write_text("schema_version = ", "utf-8")
    with pytest.raises(ConfigError, match=r"grand_piano_mk9_midi_1\.toml"):
        bind_control(PORT, "note", 1, 0, "like")
    assert "schema_version = " == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "messages", "expected"),
    [
        (
            "harmony",
            [(0xB2, 21, 1), (0xB2, 64, 127), (0x90, 60, 1), *[(0xB2, 30, value) for value in (9, 8, 7)]],
            ("control_change", 30, 3),
        ),
        ("like", [(0xB0, 64, 127), (0xB0, 66, 10), (0xB0, 66, 127)], ("control_change", 66, 1)),
        ("mute", [(0x80, 36, 0), (0x99, 36, 90)], ("note", 36, 10)),
        ("freeze", [(0xC4, 7)], ("program_change", 7, 5)),
    ],
)
def test_what_is_touched_is_learned(
    monkeypatch: pytest.MonkeyPatch,
    run_json: RunJson,
    name: str,
    messages: list[tuple[int, ...]],
    expected: tuple[str, int, int],
) -> None:
    """MIDI learn binds the knob that is turned, or the pad or pedal that is pressed, but not the sustain pedal."""
    backend = loopback.LoopbackBackend()
    keys = backend.open_virtual_output(PORT)
    monkeypatch.setattr(loopback, "LoopbackBackend", lambda: backend)

    def touch() -> None:
        """Send the control's messages a moment later."""
        time.sleep(0.2)
        for message in messages:
            keys.send(message)

    threading.Thread(target=touch).start()
    (learned,) = run_json("midi-learn", name, "--backend", "loopback", "--wait", "5")
    assert expected == (learned["message"], learned["number"], learned["channel"])
    assert [name] == [row[-1] for row in load_device(Path(str(learned["path"]))).bindings()]


def test_nothing_to_learn_from_is_told(refuse: Refuse, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown name and a missing MIDI input are each refused."""
    assert "did you mean 'density'?" in refuse(2, "midi-learn", "densiti")
    assert 1 == main(["midi-learn", "density", "--backend", "loopback"])
    assert "there is no MIDI input" in capsys.readouterr().err


@pytest.fixture
def session(state_folder: Path) -> Path:
    """A session with a learned preference."""
    path = state_folder / "sessions" / "2026-01-01-120000.session.jsonl"
    path.parent.mkdir(parents=True)
    settings = performer_settings(JamOptions(preset="fiddle"))
    events = (
        Turned("density", 1.4),
        Turned("harmony", 0.5),
        Turned("harmony", 1.0),
        Judged(5.0, liked=False, taste={"leap": -0.625}, words="less leaping"),
    )
    write_session(path, settings, *events)
    return path


def test_a_set_that_was_learned_is_saved_as_a_model(session: Path, run: Run, refuse: Refuse, own_folder: Path) -> None:
    """Learned weights are saved as the preset's model; without their file nothing is saved."""
    config, networks, header = load_model(load_preset("fiddle").model_path)
    rng = np.random.default_rng(0)
    shapes = upper_layer_shapes(config)
    weights = {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}
    data = set_to_bytes(config, weights, {})
    path = own_folder / "0003.safetensors"
    path.write_bytes(data)
    with session.open("a", encoding="utf-8") as file:
        file.write(value_to_line(Adopted(3, str(path), bytes_digest(data))))
    assert "It uses checkpoint 3" in run("save", "mine")
    preset = load_preset("mine")
    found, mine, notes = load_model(preset.model_path)
    assert (config, header) == (found, notes)
    assert own_folder in preset.model_path.parents
    assert all((mine["q"][name] == (networks["q"] | weights)[name]).all() for name in mine["q"])
    assert "a preset 'mine' exists" in refuse(2, "save", "mine")
    path.unlink()
    assert "no learned weights" in refuse(1, "save", "other")
    assert "other" not in resources.preset_paths()
    with session.open("a", encoding="utf-8") as file:
        file.write(value_to_line(Adopted(0, is_back=True)))
    run("save", "other")
    assert load_preset("fiddle").model_path == load_preset("other").model_path


def test_tempo_key_and_meter_are_saved(session: Path, run: Run, run_json: RunJson) -> None:
    """A saved preset has the tempo, key and meter of the end of the session."""
    settings = performer_settings(JamOptions(preset="fiddle", meter="3/4"))
    write_session(session, settings, Synced(1.0, 0.0, 131.456, is_own=True), Locked("F#m"))
    assert "Tempo 131.456, key F#m, meter 3/4." in run("save", "mine")
    engine = performer_settings(JamOptions(preset="mine")).engine
    assert (131.46, "F#m", (3, 4)) == tuple(engine[name] for name in ("tempo_bpm", "key", "meter"))
    assert "auto" == performer_settings(JamOptions(preset="mine", key="auto")).engine["key"]
    with session.open("a", encoding="utf-8") as file:
        changed = Changed("mine", str(resources.preset_paths()["mine"]), "m", "", {})
        file.write(value_to_line(changed) + value_to_line(Locked("auto")))
    (saved,) = run_json("save", "other")
    assert (131.456, "auto", "3/4") == tuple(saved[name] for name in ("tempo_bpm", "key", "meter"))
    assert "auto" == performer_settings(JamOptions(preset="other")).engine["key"]


def test_what_was_learned_is_saved_as_a_preset(session: Path, run: Run, refuse: Refuse) -> None:
    """The learned preference and the knobs are saved as a preset, which must have a new and valid name."""
    assert "less leaping" in run("save", "mine")
    preset = load_preset("mine")
    assert ("mine", {"leap": -0.625}) == (preset.name, preset.taste)
    values = performer_settings(JamOptions(preset="mine")).engine
    assert ({"density": 1.4}, {"leap": -0.625}) == (values["panel"], values["taste"])
    assert load_preset("fiddle").model_path == preset.model_path
    with session.open("a", encoding="utf-8") as file:
        file.write(value_to_line(Changed("minimal", str(resources.preset_paths()["minimal"]), "m", "", {})))
    run("save", "later")
    assert load_preset("minimal").model_path == load_preset("later").model_path
    assert "a preset 'mine' exists" in refuse(2, "save", "mine", session)
    run("save", "mine", session, "--force")
    assert "letters, digits, _ and - only" in refuse(2, "save", "no name!")
    assert "are templates" in refuse(2, "save", "_mine")
    assert "a preset 'fiddle' exists" in refuse(2, "save", "fiddle")
