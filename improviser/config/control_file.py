"""Writes a control's binding into a device file of the user, and keeps everything else in the file."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from improviser.config.device import Device, load_device
from improviser.config.document import write_document
from improviser.config.resources import config_folder, device_paths
from improviser.errors import ConfigError
from improviser.protocol import ControlMessage, Knob

# a2jmidid puts ALSA's client numbers into names. They change with each start. In patterns [ is special.
_CLIENT_NUMBER: Final = re.compile(r"\[\d+\]")
_SPECIAL: Final = re.compile(r"[\[\]]")
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_PEDALS: Final = range(64, 70)
_CHANNELS_FROM: Final = 1


def bind_control(port: str, message: str, number: int, channel: int, does: str) -> Path:
    """Bind a control to an action; return the path of the device file.

    The file is the user's own file for that port. If there is none, it starts as a copy of the shipped file, which it
    then replaces, or as a new file. Another control of this device that had the action loses it.

    Args:
        port: Name of the port that sends the control's messages.
        message: "control_change", "note" or "program_change".
        number: 0-127.
        channel: 0-15.
        does: Name of a Knob or an Action.

    Raises:
        ConfigError: The existing file has faults, or the new one cannot be written.
    """
    known = _known(port)
    path = config_folder() / "devices" / (known.name if known else f"{_slug(port)}.toml")
    if known is None and path.exists():
        load_device(path)  # raises with its faults, so that it is not overwritten
    document = _read(known) if known else _new(port)
    controls = document.setdefault("control", tomlkit.aot())
    for control in controls:
        if control.get("action") == does:
            del control["action"]
    place = next((each for each in controls if _is_same(each, message, number, channel)), None)
    if place is None:
        place = tomlkit.inline_table() if isinstance(controls, Array) else tomlkit.table()
        taken = {each.get("name") for each in controls}
        place.update(_control(message, number, channel, does, taken))
        place["action"] = does
        controls.append(place)
    place["action"] = does
    write_document(path, document, Device)
    return path


def _known(port: str) -> Path | None:
    """Return the file of the device that has this port, the user's own first; None if no file has it."""
    own = config_folder() / "devices"
    found = list[Path]()
    for path in device_paths().values():
        with contextlib.suppress(ConfigError):  # improviser devices reports the faults
            found += [path] if load_device(path).matches(port) else []
    return next(iter(sorted(found, key=lambda path: path.parent != own)), None)


def _read(path: Path) -> tomlkit.TOMLDocument:
    """Return a file's document with its comments. Raises ConfigError if it has faults."""
    try:
        return tomlkit.parse(path.read_text("utf-8"))
    except (OSError, ValueError, TOMLKitError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _new(port: str) -> tomlkit.TOMLDocument:
    """Return a new document for the device that has this port."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Learned with: improviser midi-learn"))
    document.update(
        {
            "schema_version": 1,
            "maker": "unknown",
            "model": port,
            "source": "learned from what the controller sent",
            "ports": [_SPECIAL.sub("?", _CLIENT_NUMBER.sub("?*?", port))],
        }
    )
    return document


def _control(message: str, number: int, channel: int, does: str, taken: set[Any]) -> dict[str, Any]:
    """Return the table of a new control, with a unique name."""
    if does in frozenset(Knob):
        kind = "knob"
    elif message == ControlMessage.NOTE:
        kind = "pad"
    else:
        kind = "pedal" if number in _PEDALS else "button"
    name = f"{kind.capitalize()} {number}"
    return {
        "name": name if name not in taken else f"{name}, channel {channel + _CHANNELS_FROM}",
        "kind": kind,
        "message": message,
        "number": number,
        "channel": channel + _CHANNELS_FROM,
    }


def _is_same(control: dict[str, Any], message: str, number: int, channel: int) -> bool:
    """Return whether a table describes the control that sends this message."""
    is_there = control.get("channel", channel + _CHANNELS_FROM) == channel + _CHANNELS_FROM
    return is_there and (control.get("message"), control.get("number")) == (message, number)


def _slug(port: str) -> str:
    """Return a file name for a port."""
    return _NO_WORD.sub("_", port.lower()).strip("_") or "controller"
