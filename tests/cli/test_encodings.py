"""Terminals that lack some characters: everything is shown as well as possible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.cli import COMMANDS
from improviser.ipc.launch import environment


def ran(folder: Path, *arguments: str, encoding: str) -> bytes:
    """Return the stdout and stderr of a command on a terminal with an encoding."""
    variables = os.environ | {
        "PYTHONIOENCODING": encoding,
        "PYTHONUTF8": "0",
        "IMPROVISER_CONFIG_DIR": str(folder),
        "IMPROVISER_STATE_DIR": str(folder / "state"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "improviser", *arguments], capture_output=True, env=variables, check=False
    )
    output = done.stdout + done.stderr
    assert b"Traceback" not in output
    assert b"UnicodeEncodeError" not in output
    return output


def test_every_help_can_be_shown(tmp_path: Path) -> None:
    """Help texts are readable in the poorest encoding."""
    for command in COMMANDS:
        assert b"Usage" in ran(tmp_path, command, "--help", encoding="ascii")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_names_in_other_scripts_are_shown_and_told(tmp_path: Path, encoding: str) -> None:
    """Missing characters are shown as question marks, and are escaped in JSON without loss."""
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "жаба.toml").write_text("nonsense", encoding="utf-8")
    assert b"????" in ran(tmp_path, "presets", encoding=encoding)
    lines = ran(tmp_path, "presets", "--json", encoding=encoding).decode(encoding).splitlines()
    assert any("жаба" in str(json.loads(line)) for line in lines if line.startswith("{"))


def test_a_process_of_ours_writes_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes exchange UTF-8, whatever the terminal's encoding is."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run(
        [sys.executable, "-c", "print('Клавиатура')"], capture_output=True, env=environment(), check=True
    )
    assert "Клавиатура" == done.stdout.decode("utf-8").strip()
