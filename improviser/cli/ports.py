"""`improviser ports`: lists the ports for `--in` and `--out`."""

from __future__ import annotations

from improviser.choices import BackendName
from improviser.cli.console import say, say_json, say_table
from improviser.cli.options import BackendOption, JsonOption

EXAMPLES = """
improviser ports
improviser ports --backend jack --json
"""


def ports(backend: BackendOption = None, json: JsonOption = False) -> None:
    """List the MIDI inputs and outputs, and the driver that reaches them."""
    from improviser.ports import open_backend
    from improviser.ports.name import is_probe

    opened = open_backend(backend or BackendName.AUTO)
    try:
        rows = [("in", name) for name in opened.input_names()]
        rows += [("out", name) for name in opened.output_names()]
        driver = opened.driver
    finally:
        opened.close()
    rows = [(direction, name) for direction, name in rows if not is_probe(name)]
    if json:
        for direction, name in rows:
            say_json({"direction": direction, "name": name, "backend": opened.name, "driver": driver})
        return
    system = f"{opened.name} through {driver}" if driver else opened.name
    if rows:
        say_table(("FOR", "NAME"), [(f"--{direction}", name) for direction, name in rows])
        say(f"({system})")
    else:
        say(f"No MIDI ports ({system}); connect an instrument, or start a program that plays MIDI.")
