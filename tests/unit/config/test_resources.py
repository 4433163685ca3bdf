"""Presets, devices and settings, and their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.config import resources
from improviser.config.device import Device, load_device
from improviser.config.document import check_document
from improviser.config.preset import METER_NAMES, load_preset
from improviser.config.user_settings import Settings, load_settings
from improviser.errors import ConfigError
from improviser.music.meter import METERS

ENGINE_KEYS = {
    "advice",
    "key",
    "tempo_bpm",
    "meter",
    "steps_per_beat",
    "register_low",
    "channel",
    "collect_s",
    "mends",
    "mode",
    "recall",
    "timing",
    "follows_swing",
    "feel",
    "groove",
    "patience_bars",
    "max_note_bars",
    "temperature",
    "prior_weight",
    "harmony",
    "coherence",
    "creativity",
    "density",
    "panel",
    "taste",
    "style",
    "swing",
    "role",
}

BACKENDS = "'auto', 'jack', 'alsa', 'coremidi', 'winmm', 'rtmidi-jack' or 'loopback'"
KINDS = "'knob', 'fader', 'pad', 'pedal', 'button' or 'encoder'"

SHIPPED = ["band", "bass", "chorale", "comping", "fiddle", "free", "jazz", "lied", "minimal", "pop"]


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of the test, empty at first."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    return tmp_path


def own_preset(folder: Path, name: str, **changes: str) -> None:
    """Write a user's preset: the shipped fiddle with changed lines."""
    text = resources.preset_paths()["fiddle"].read_text("utf-8")
    for old, new in changes.items():
        text = text.replace(f"{old} = ", f"{new} = ")
    (folder / "presets").mkdir(exist_ok=True)
    (folder / "presets" / f"{name}.toml").write_text(text, "utf-8")


def test_the_shipped_presets_are_found() -> None:
    """The shipped presets are listed by their names, sorted."""
    assert ["band", "bass", "chorale", "comping", "fiddle", "free", "jazz", "lied", "minimal", "pop"] == list(
        resources.preset_paths()
    )


def test_own_presets_stand_beside_and_before_the_shipped(config_folder: Path) -> None:
    """A user's preset is listed and hides a shipped one of the same name; templates are not listed."""
    for name in ("mine", "fiddle", "_draft"):
        own_preset(config_folder, name)
    paths = resources.preset_paths()
    assert ["band", "bass", "chorale", "comping", "fiddle", "free", "jazz", "lied", "mine", "minimal", "pop"] == list(
        paths
    )
    assert config_folder / "presets" / "fiddle.toml" == paths["fiddle"]


def test_the_folder_is_the_platforms_unless_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the environment variable the user's folder is the platform's configuration folder."""
    monkeypatch.delenv("IMPROVISER_CONFIG_DIR")
    assert "improviser" == resources.config_folder().name


def test_without_a_checkout_the_shipped_files_are_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package has its files under improviser/data."""
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    assert Path("improviser", "data", "presets") == Path(*resources.shipped_folder("presets").parts[-3:])


def test_an_own_model_comes_first(config_folder: Path) -> None:
    """A model in the user's folder is preferred to the shipped one of the same name."""
    assert resources.shipped_folder("presets") / "models" / "a.safetensors" == resources.model_path("a.safetensors")
    own = config_folder / "presets" / "models" / "a.safetensors"
    own.parent.mkdir(parents=True)
    own.touch()
    assert own == resources.model_path("a.safetensors")


def test_the_engine_gets_plain_values() -> None:
    """The engine gets plain values: channels from 0, seconds, a meter of two numbers, strings."""
    preset = load_preset("chorale")
    values = preset.engine_values()
    assert ENGINE_KEYS == set(values)
    assert (0, 0.02, (4, 4), preset.pitch_range.low, "chorale", "melody") == tuple(
        values[key] for key in ("channel", "collect_s", "meter", "register_low", "style", "role")
    )
    assert {str, int, bool, float, tuple, dict} >= {type(value) for value in values.values()}


def test_the_model_of_a_preset_has_a_path() -> None:
    """The path of a preset's model is the path of its file."""
    assert resources.model_path("fiddle.safetensors") == load_preset("fiddle").model_path


def test_a_preset_is_loaded_from_a_path(tmp_path: Path) -> None:
    """A name that ends in .toml is a path."""
    own_preset(tmp_path, "mine", tempo_bpm="tempo_bpm")
    assert "fiddle" == load_preset(str(tmp_path / "presets" / "mine.toml")).name


def test_advice_is_for_melodies(tmp_path: Path) -> None:
    """A preset of another role that wants advice is refused."""
    own_preset(tmp_path, "low", role='role = "bass"\n#')
    assert load_preset("fiddle").decision.advice > 0
    with pytest.raises(ConfigError, match=r"decision\.advice: only the role melody takes it"):
        load_preset(str(tmp_path / "presets" / "low.toml"))


def test_an_unknown_preset_is_told_with_those_there_are() -> None:
    """The error for an unknown preset names the nearest one and all available ones."""
    there_are = ", ".join(SHIPPED)
    expected = rf"^no preset 'coral'; did you mean 'chorale'\? \(available: {there_are}\)$"
    with pytest.raises(ConfigError, match=expected):
        load_preset("coral")


CONTROL: dict[str, object] = {"name": "a", "kind": "knob", "message": "control_change", "number": 1}
DEVICE: dict[str, object] = {
    "schema_version": 1,
    "maker": "M",
    "model": "D",
    "source": "Guide, p. 1",
    "ports": ["Nano*KONTROL"],
    "control": [CONTROL],
}


def device_fault(*controls: dict[str, object]) -> str:
    """Return the fault of a device with these controls beside its one valid control."""
    with pytest.raises(ConfigError) as caught:
        check_document({**DEVICE, "control": [CONTROL, *controls]}, Device, "d.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", True),
        ("NANO-KONTROL", True),
        ("nano", False),
        ("MPK mini", False),
    ],
)
def test_a_device_knows_its_ports(port: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """A port belongs to the device if its name contains a pattern, whatever the case."""
    assert expected is check_document(DEVICE, Device, "d.toml").matches(port)


def test_a_fault_of_a_control_has_its_number() -> None:
    """A fault in a control is reported with its number, counted from 1, and the nearest valid word."""
    control = {"name": "b", "kind": "knop", "message": "note", "number": 200, "chanel": 1}
    assert [
        f"d.toml: control[2].kind = 'knop': should be {KINDS}; did you mean 'knob'?",
        "d.toml: control[2].number = 200: should be less than or equal to 127",
        "d.toml: control[2].chanel = 1: unknown key; did you mean 'channel'?",
    ] == device_fault(control).splitlines()


def test_two_controls_may_not_be_alike() -> None:
    """Controls with the same name, message or action are all reported at once."""
    base = {"name": "a", "kind": "pad", "message": "note", "number": 36, "channel": 10, "action": "like"}
    fault = device_fault(base, {**base, "name": "b"})
    assert (
        "d.toml: 2 controls have the name 'a'; 2 controls have the message 'note 36 on channel 10'; "
        "2 controls have the action 'like'"
    ) == fault


def test_a_device_needs_a_control() -> None:
    """A device without controls is refused."""
    with pytest.raises(ConfigError, match=r"^d\.toml: at least one control is needed$"):
        check_document({**DEVICE, "control": []}, Device, "d.toml")


def test_a_device_is_loaded_from_its_file(tmp_path: Path) -> None:
    """A damaged device file is reported with its name."""
    path = tmp_path / "d.toml"
    path.write_text("")
    with pytest.raises(ConfigError, match=r"d\.toml: schema_version: missing"):
        load_device(path)


def test_without_a_file_the_settings_are_the_defaults() -> None:
    """Without a settings file all settings have their defaults."""
    assert Settings() == load_settings()


def test_two_meanings_of_one_control_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control bound twice is reported, also where one binding is a default."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings.toml").write_text("undo_control = 66\n", "utf-8")
    with pytest.raises(ConfigError, match="like_control and undo_control are both 66; change one"):
        load_settings()
    (tmp_path / "settings.toml").write_text("undo_control = 66\nlike_control = false\n", "utf-8")
    assert {"undo": 66, "dislike": 67} == load_settings().controls()


def test_settings_are_read_from_their_file(config_folder: Path) -> None:
    """The settings file sets the defaults of commands."""
    text = 'preset = "fiddle"\nin = "Launchkey"\nout = "synth"\nbackend = "jack"\ntempo_bpm = 96\n'
    (config_folder / "settings.toml").write_text(text)
    settings = load_settings()
    assert ("fiddle", "Launchkey", "synth", "jack", 96.0) == (
        settings.preset,
        settings.input_pattern,
        settings.output_pattern,
        settings.backend,
        settings.tempo_bpm,
    )


def test_faulty_settings_are_told(config_folder: Path) -> None:
    """A fault in the settings is reported like that of any file, with the nearest word."""
    (config_folder / "settings.toml").write_text('backend = "jak"\ninn = "x"\n')
    with pytest.raises(ConfigError) as caught:
        load_settings()
    path = config_folder / "settings.toml"
    assert [
        f"{path}: backend = 'jak': should be {BACKENDS}; did you mean 'jack'?",
        f"{path}: inn = 'x': unknown key; did you mean 'in'?",
    ] == str(caught.value).splitlines()


def test_the_meters_are_those_of_the_engine() -> None:
    """A preset may name exactly the meters that the engine supports."""
    assert METER_NAMES == tuple(meter.name for meter in METERS)
