"""`improviser midi-learn`: binds a knob, pad or pedal to an action, chosen by moving it."""

from __future__ import annotations

from typing import Annotated

import typer

from improviser.choices import BackendName
from improviser.cli.console import say, say_json, tell
from improviser.cli.options import BackendOption, JsonOption

EXAMPLES = """
improviser midi-learn harmony
improviser midi-learn like --in Launchkey
improviser midi-learn tempo --wait 60
"""

NameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A knob or action, as listed by improviser ctl --help."),
]
InOption = Annotated[
    str | None,
    typer.Option(
        "--in", metavar="PATTERN", help="Inputs to listen to: all whose name contains this. Default: every input."
    ),
]
WaitOption = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=1, max=3600, help="Seconds to wait for a control."),
]


def midi_learn(
    name: NameArgument,
    in_: InOption = None,
    wait: WaitOption = 30.0,
    backend: BackendOption = None,
    json: JsonOption = False,
) -> None:
    """MIDI learn: choose the knob, pad or pedal of your controller that does NAME.

    Run it, then move the control: turn a knob to and fro, or press a pad or pedal. The sustain pedal is ignored.
    The choice is written to a device file of your own (improviser devices), and works from the next jam on.
    """
    from improviser.config.control_file import bind_control
    from improviser.config.document import nearest
    from improviser.errors import ImproviserError, UsageError
    from improviser.performer.midi_learn import wait_for_control
    from improviser.ports import open_backend
    from improviser.protocol import Action, Knob

    known = [str(each) for each in (*Knob, *Action)]
    if name not in known:
        raise UsageError(f"no knob or action {name!r}{nearest(name, known)}; see: improviser ctl --help")
    is_knob = name in frozenset(Knob)
    opened = open_backend(backend or BackendName.AUTO)
    try:
        what = "turn a knob or move a fader" if is_knob else "press a pad, a button or a pedal"
        tell(f"For {name}: {what} now ({wait:g} seconds) ...")
        touch = wait_for_control(opened, in_, wait, is_knob=is_knob)
    finally:
        opened.close()
    if touch is None:
        raise ImproviserError("no control was moved. Check that the controller is listed: improviser ports")
    path = bind_control(touch.port, touch.kind, touch.number, touch.channel, name)
    sent = f"{touch.kind.replace('_', ' ')} {touch.number} on channel {touch.channel + 1} of '{touch.port}'"
    if json:
        say_json(
            {
                "event": "learned",
                "name": name,
                "port": touch.port,
                "message": touch.kind,
                "number": touch.number,
                "channel": touch.channel + 1,
                "path": str(path),
            }
        )
    else:
        say(f"{name}: {sent}. Saved in {path}, for the next jam.")
