"""Devices, which describe what each control of a controller sends: one TOML file each."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from improviser.config.document import Document, load_document, nearest
from improviser.protocol import Action, Binding, ControlMessage, Knob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def _one_of(names: tuple[str, ...]) -> AfterValidator:
    """Return a check that a text is one of some names."""

    def check(text: str) -> str:
        """Return `text` unchanged, or raise ValueError."""
        if text not in names:
            raise ValueError(f"should be one of {', '.join(names)}{nearest(text, names)}")
        return text

    return AfterValidator(check)


class ControlKind(StrEnum):
    """The physical kind of a control."""

    KNOB = "knob"
    FADER = "fader"
    PAD = "pad"
    PEDAL = "pedal"
    BUTTON = "button"
    ENCODER = "encoder"


DOES = (*Knob, *Action)
Does = Annotated[str, _one_of(tuple(str(name) for name in DOES))]
Text = Annotated[str, Field(min_length=1)]


class Control(Document):
    """A control: its message's number is 0-127; its channel is 1-16, or any channel if left out."""

    name: Text
    kind: ControlKind = Field(strict=False)
    message: ControlMessage = Field(strict=False)
    number: int = Field(ge=0, le=127)
    channel: int | None = Field(default=None, ge=1, le=16)
    action: Does | None = None


class Device(Document):
    """A device file of schema 1; `keys` is false if nothing on the device plays notes."""

    schema_version: Literal[1]
    maker: Text
    model: Text
    source: Text
    ports: tuple[Text, ...] = Field(min_length=1, strict=False)
    keys: bool = True
    controls: tuple[Control, ...] = Field(alias="control", strict=False)

    @model_validator(mode="after")
    def _distinct(self) -> Device:
        """Refuse a device without controls, and two controls with the same name, message or action."""
        faults = [
            *([] if self.controls else ["at least one control is needed"]),
            *_repeated("name", (control.name for control in self.controls)),
            *_repeated("message", (_sent(control) for control in self.controls)),
            *_repeated("action", (str(control.action) for control in self.controls if control.action)),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def bindings(self) -> Iterator[Binding]:
        """Yield the bindings of its controls, as the performer uses them."""
        for control in self.controls:
            if control.action is not None:
                channel = None if control.channel is None else control.channel - 1
                yield Binding(self.ports, control.message, control.number, channel, control.action)

    def matches(self, port_name: str) -> bool:
        """Return whether a port belongs to this device: whether its name contains one of the patterns.

        Case is ignored. `*` stands for any characters and `?` for a single one.
        """
        return any(fnmatchcase(port_name.lower(), f"*{pattern.lower()}*") for pattern in self.ports)


def _sent(control: Control) -> str:
    """Return the message of a control in words."""
    channel = "" if control.channel is None else f" on channel {control.channel}"
    return f"{control.message} {control.number}{channel}"


def _repeated(what: str, values: Iterable[str]) -> list[str]:
    """Return a fault for each value that occurs more than once."""
    return [f"{count} controls have the {what} {value!r}" for value, count in Counter(values).items() if count > 1]


def load_device(path: Path) -> Device:
    """Return the device in the file at `path`; raises ConfigError with all its faults."""
    return load_document(path, Device)
