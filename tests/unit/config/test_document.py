"""Loading TOML files into checked values, and reporting their faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from improviser.config.document import MAX_FILE_BYTES, load_document, nearest
from improviser.config.preset import Preset
from improviser.config.user_settings import Settings
from improviser.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

PRESET = """
schema_version = 1
name = "test"
description = "A preset for tests."
author = "a"
license = "MIT"
source = "none"
role = "melody"
style = "fiddle"
model = "test.safetensors"
tempo_bpm = 100
[grid]
steps_per_beat = 2
[register]
low = 60
[reward]
harmony = 1
coherence = 0.5
creativity = 0
[decision]
temperature = 1.5
prior_weight = 1
"""

STYLES = "'chorale', 'fiddle', 'minimal', 'free', 'pop', 'jazz' or 'lied'"


def faults(path: Path, text: str) -> list[str]:
    """Return the lines of the error for a preset with this text, without the file's name."""
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_document(path, Preset)
    lines = str(caught.value).splitlines()
    assert [str(path)] * len(lines) == [line[: len(str(path))] for line in lines]
    return [line[len(str(path)) + 2 :] for line in lines]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a preset file that does not exist yet."""
    return tmp_path / "test.toml"


def test_a_good_file_is_loaded(path: Path) -> None:
    """A valid file gives its values, and defaults for what it leaves out."""
    path.write_text(PRESET)
    preset = load_document(path, Preset)
    assert (1.5, 20) == (preset.decision.temperature, preset.playing.collect_ms)


def test_all_faults_are_told_at_once(path: Path) -> None:
    """Each fault of a file has a line with key, value and what is expected."""
    text = PRESET.replace("temperature = 1.5", "temprature = 1.5").replace("low = 60", 'low = "C4"')
    text = text.replace("tempo_bpm = 100", "tempo_bpm = 9000").replace('author = "a"\n', "")
    assert [
        "author: missing but required",
        "tempo_bpm = 9000: should be less than or equal to 400",
        "register.low = 'C4': should be a valid integer",
        "decision.temperature: missing but required",
        "decision.temprature = 1.5: unknown key; did you mean 'temperature'?",
    ] == faults(path, text)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("role = ", "rolle = ", "rolle = 'melody': unknown key; did you mean 'role'?"),
        (
            "[register]",
            "[xyzzy]\n[register]",
            "xyzzy = {…}: unknown key; expected one of schema_version, name,",
        ),
        (
            '"fiddle"',
            '"fidle"',
            f"style = 'fidle': should be {STYLES}; did you mean 'fiddle'?",
        ),
        ('"fiddle"', "3", f"style = 3: should be {STYLES}"),
        ('"melody"', '"comp"', "role = 'comp': should be 'melody', 'comping' or 'bass'"),
        ("schema_version = 1", "schema_version = 2", "schema_version = 2: should be 1"),
        ("low = 60", "low = true", "register.low = true: should be a valid integer"),
        ("low = 60", "low = 60.0", "register.low = 60.0: should be a valid integer"),
        ("harmony = 1", "harmony = nan", "reward.harmony = nan: should be a finite number"),
        ("harmony = 1", "harmony = [1]", "reward.harmony = […]: should be a valid number"),
        ("[register]\nlow = 60", "", "register: missing but required"),
        (
            "test.safetensors",
            "../x.safetensors",
            "model = '../x.safetensors': should be the name of a file that ends in .safetensors",
        ),
        ('"test"', '"../test"', "name = '../test': should be letters, digits, _ and - only"),
        ('"test"', '""', "name = '': should be letters, digits, _ and - only"),
        ('"test"', '"a b"', "name = 'a b': should be letters, digits, _ and - only"),
        ('"MIT"', '""', "license = '': String should have at least 1 character"),
        (
            "steps_per_beat = 2",
            'steps_per_beat = 2\nmeter = "waltz"',
            "grid.meter = 'waltz': should be a meter such as 3/4, 7/8",
        ),
    ],
)
def test_a_fault_is_told(path: Path, old: str, new: str, fault: str) -> None:
    """A fault names the key, the value and what is expected, and for an unknown word the nearest valid one."""
    told = faults(path, PRESET.replace(old, new))
    assert fault in [line[: len(fault)] for line in told]


def test_a_long_value_is_shortened(path: Path) -> None:
    """A fault shows the first 40 characters of a value."""
    assert [f"tempo_bpm = '{'x' * 39}…: should be a valid number"] == faults(
        path, PRESET.replace("tempo_bpm = 100", f'tempo_bpm = "{"x" * 99}"')
    )


def test_an_odd_key_is_quoted(path: Path) -> None:
    """A key that is no plain word is reported in quotes, in one line."""
    expected = "'a\\nb' = 1: unknown key; expected one of"
    assert [expected] == [line[: len(expected)] for line in faults(path, f'"a\\nb" = 1\n{PRESET}')]


def test_a_fault_of_syntax_has_its_line(path: Path) -> None:
    """Invalid TOML is reported with line and column."""
    assert ["line 2, column 5: not valid TOML: Invalid value"] == faults(path, "a = 1\nb = \n")
    assert ["not valid TOML: Invalid value (at end of document)"] == faults(path, "a = [")


def test_what_is_no_text_is_told_with_its_line(tmp_path: Path) -> None:
    """Invalid UTF-8 is reported with its line."""
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(ConfigError, match=r"bytes\.toml: line 2: not UTF-8 text$"):
        load_document(path, Settings)


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000], ids=["deep", "long number"])
def test_hostile_text_is_told(path: Path, text: str) -> None:
    """Text that no parser accepts is reported too."""
    assert ["not valid TOML: nested too deeply, or a number too long"] == faults(path, text)


def test_a_file_that_is_too_long_is_told(path: Path) -> None:
    """A file beyond the limit is not parsed."""
    assert ["longer than 1000000 bytes; expected a short TOML file"] == faults(path, "#" * (MAX_FILE_BYTES + 1))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file and a folder are reported with the system's reason."""
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file or directory$"):
        load_document(tmp_path / "none.toml", Settings)
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load_document(tmp_path, Settings)


def test_the_nearest_word_is_offered() -> None:
    """The most similar valid word is offered, or none if none is similar."""
    assert "; did you mean 'harmony'?" == nearest("harmonie", ["coherence", "harmony"])
    assert "" == nearest("xyzzy", ["coherence", "harmony"])
