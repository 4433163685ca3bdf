"""Each shipped device file; every test runs once per file."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from improviser.config.device import DOES, ControlKind, load_device
from improviser.config.resources import shipped_folder
from improviser.protocol import ControlMessage
from tests.some import some_files

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = shipped_folder("devices")
FILES = some_files(FOLDER, "*.toml")
DEVICES = [path for path in FILES if not path.name.startswith("_")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_device_file_is_good(path: Path) -> None:
    """The file is valid, and cites a page or a section of its source."""
    assert re.search(r"\b(pp?\.|section|chapter) ?\d", load_device(path).source)


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_a_device_file_is_named_after_the_device(path: Path) -> None:
    """The file name is maker and model in lower case, joined by underscores."""
    device = load_device(path)
    assert path.stem == re.sub(r"[^a-z0-9]+", "_", f"{device.maker} {device.model}".lower())


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_no_port_belongs_to_two_devices(path: Path) -> None:
    """No other device matches a port that matches this device's patterns."""
    ports = [pattern.replace("*", " ") for pattern in load_device(path).ports]
    others = [load_device(other) for other in DEVICES if other != path]
    assert [] == [port for port in ports for other in others if other.matches(port)]


def test_the_template_explains_every_word() -> None:
    """The template's comments list every kind, message and action."""
    text = (FOLDER / "_template.toml").read_text("utf-8")
    comments = " ".join(line for line in text.splitlines() if line.startswith("#"))
    words = {str(word) for kind in (ControlKind, ControlMessage, DOES) for word in kind}
    assert set() == words - set(re.findall(r"[a-z_]+", comments))


def test_there_are_two_real_controllers_at_least() -> None:
    """At least two real controllers are shipped, and the template is not listed among them."""
    assert len(DEVICES) >= 2
    assert "Maker" not in [tomllib.loads(path.read_text("utf-8"))["maker"] for path in DEVICES]
