"""`improviser devices`: lists the known controllers and checks their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from improviser.cli.console import say_json, say_table, tell
from improviser.cli.options import JsonOption

if TYPE_CHECKING:
    from improviser.config.device import Device

EXAMPLES = """
improviser devices
improviser devices --json
"""


def devices(json: JsonOption = False) -> None:
    """List the known controllers with the names of their ports, and check their files.

    A device file says what each knob, pad and pedal does in a jam. improviser ctl --help lists the knobs and
    actions.

    Your own device files are TOML files in the folder devices of improviser's configuration folder. Copy
    _template.toml to start one, or use improviser midi-learn.
    """
    from improviser.config.device import load_device
    from improviser.config.resources import device_paths
    from improviser.errors import ConfigError

    good: dict[str, Device] = {}
    faults: dict[str, str] = {}
    for name, path in device_paths().items():
        try:
            good[name] = load_device(path)
        except ConfigError as error:
            faults[name] = str(error)
    if json:
        _print_json(good, faults)
    else:
        rows = [(name, d.maker, d.model, len(d.controls), ", ".join(d.ports)) for name, d in good.items()]
        say_table(("NAME", "MAKER", "MODEL", "CONTROLS", "PORTS"), rows)
    for fault in faults.values():
        tell(f"improviser: {fault}")
    if faults:
        raise typer.Exit(1)


def _print_json(good: dict[str, Device], faults: dict[str, str]) -> None:
    """Print one JSON line per device, faulty ones last."""
    for name, device in good.items():
        say_json({"name": name, **device.model_dump(mode="json", by_alias=True, exclude_none=True)})
    for name, fault in faults.items():
        say_json({"name": name, "error": fault})
