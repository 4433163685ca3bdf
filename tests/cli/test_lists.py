"""`improviser presets` and `improviser devices`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from improviser.cli import main
from improviser.config.preset import load_preset

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of the test, with empty folders for presets and devices."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    for kind in ("presets", "devices"):
        (tmp_path / kind).mkdir()
    return tmp_path


def json_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """Return the printed objects, one per line."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("presets", ["band", "bass", "chorale", "comping", "fiddle", "free", "jazz", "lied", "minimal", "pop"]),
        (
            "devices",
            [
                "akai_professional_apc40_mkii",
                "akai_professional_apc_mini_mk2",
                "arturia_minilab_3",
                "behringer_x_touch_mini",
                "dj_techtools_midi_fighter_twister",
                "korg_nanokontrol2",
                "novation_launch_control_xl_3",
                "novation_launchkey_mini",
                "novation_launchkey_mk2",
                "novation_launchkey_mk3",
            ],
        ),
    ],
)
def test_what_is_shipped_is_listed(kind: str, names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Both lists show the names, as a table or as one JSON object per line."""
    assert 0 == main([kind])
    rows = capsys.readouterr().out.splitlines()
    assert ["NAME", *names] == [row.split()[0] for row in rows]
    assert 0 == main([kind, "--json"])
    assert names == [line["name"] for line in json_lines(capsys)]


def test_the_columns_of_a_table_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """The cells of a column start below its header."""
    main(["presets"])
    header, *rows = capsys.readouterr().out.splitlines()
    places = [header.index(title) for title in ("STYLE", "BPM", "DESCRIPTION")]
    assert [] == [row for row in rows for place in places if row[place - 1] != " " or row[place] == " "]


def test_a_preset_is_shown_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """A preset is shown with every value, by its dotted key."""
    assert 0 == main(["presets", "fiddle"])
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    low = load_preset("fiddle").pitch_range.low
    assert ("112.0", str(low), "4/4") == (rows["tempo_bpm"], rows["register.low"], rows["grid.meter"])
    assert "playing.program" not in rows


def test_a_preset_is_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a preset is one object of its tables."""
    assert 0 == main(["presets", "fiddle", "--json"])
    (preset,) = json_lines(capsys)
    assert ("fiddle", {"low": load_preset("fiddle").pitch_range.low}) == (preset["name"], preset["register"])


def test_a_device_is_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a device is shown with all its controls."""
    main(["devices", "--json"])
    (device,) = [line for line in json_lines(capsys) if line["name"] == "novation_launchkey_mk2"]
    controls = device["control"]
    assert isinstance(controls, list)
    expected = {
        "name": "Pot 1",
        "kind": "knob",
        "message": "control_change",
        "number": 21,
        "action": "harmony",
    }
    assert expected == controls[0]


@pytest.mark.parametrize(("kind", "good"), [("presets", "chorale"), ("devices", "novation_launchkey_mk2")])
def test_a_broken_file_hides_no_other(
    kind: str, good: str, config_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken user file is reported on stderr, the others are listed, and the exit code is 1."""
    path = config_folder / kind / "broken.toml"
    path.write_text("schema_version = 2\n")
    assert 1 == main([kind])
    captured = capsys.readouterr()
    assert good in captured.out
    assert f"improviser: {path}: schema_version = 2: should be 1" == captured.err.splitlines()[0]
    assert 1 == main([kind, "--json"])
    (line,) = [line for line in json_lines(capsys) if line["name"] == "broken"]
    assert f"{path}: schema_version = 2: should be 1" == str(line["error"]).splitlines()[0]
