"""`improviser ctl`: steer a jam that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from improviser.cli.console import NO_TASTE, say, say_json
from improviser.cli.options import JsonOption

if TYPE_CHECKING:
    from improviser.control import Knob, Steer

EXAMPLES = """
improviser ctl
improviser ctl harmony 1.5
improviser ctl tempo 96
improviser ctl preset fiddle
improviser ctl key Am
improviser ctl like
improviser ctl undo
improviser ctl --json
"""

NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="A knob: harmony, coherence, creativity, temperature, density, register, echo, velocity, "
        "tempo; preset or key; or an action: like, dislike, undo, undo_all, freeze, mute, solo, panic, "
        "keep, tap, next_preset.",
    ),
]
ValueArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[VALUE]",
        help="Of a knob: 0-2, 1 being as the preset has it; the tempo in beats a minute, 20-400; "
        "the name of a preset; a key such as C or Am, or auto.",
    ),
]
ProcessOption = Annotated[
    int | None, typer.Option("--process", metavar="NUMBER", help="Where several jams run, the one meant.")
]


def ctl(
    name: NameArgument = None,
    value: ValueArgument = None,
    process: ProcessOption = None,
    json: JsonOption = False,
) -> None:
    """Turn a knob of the jam that runs, or do something in it; say how it stands.

    Without a name it only says how the jam stands. Mute, solo and freeze are switched on and, done again,
    off. A change of a knob glides, so that nothing jumps.
    """
    from improviser.config.resources import control_folder
    from improviser.control import value_to_line
    from improviser.daemon.remote import ask
    from improviser.errors import ImproviserError

    line = '{"event": "state"}' if name is None else value_to_line(_command(name, value))
    answer = ask(control_folder(), line, process)
    if answer.get("event") == "error":
        raise ImproviserError(f"the jam does not understand that: {answer.get('text')}")
    if json:
        say_json(answer)
    else:
        _show(answer)


def _command(name: str, value: str | None) -> Steer:
    """Give the command that a name and a value stand for. Raises UsageError where they stand for none."""
    from improviser.config.document import nearest
    from improviser.control import Act, Action, Knob
    from improviser.errors import UsageError

    known = {str(each): each for each in (*Knob, *Action)} | dict.fromkeys(("preset", "key"))
    if name not in known:
        raise UsageError(f"no knob or action {name!r}{nearest(name, known)}; see: improviser ctl --help")
    does = known[name]
    if isinstance(does, Knob):
        return _turn(does, value)
    if does is None:
        return _choice(name, value)
    if value is not None:
        raise UsageError(f"{name} takes no value: improviser ctl {name}")
    return Act(does)


def _turn(knob: Knob, value: str | None) -> Steer:
    """Give the command that turns a knob. Raises UsageError where the value is none of its."""
    from improviser.control import TEMPO_BPM, TURNS_MAX, Knob, Turn
    from improviser.errors import UsageError

    low, high = TEMPO_BPM if knob is Knob.TEMPO else (0.0, TURNS_MAX)
    try:
        return Turn(knob, float(value or "nan"))
    except ValueError as error:
        raise UsageError(
            f"{knob} takes a value from {low:g} to {high:g}: improviser ctl {knob} {high / 2:g}"
        ) from error


def _choice(name: str, value: str | None) -> Steer:
    """Give the command that chooses a preset or locks a key. Raises UsageError where the value is none."""
    from improviser.control import Choose, Lock
    from improviser.errors import UsageError

    if name == "preset":
        if value is None:
            raise UsageError("preset takes a name: improviser ctl preset fiddle; see: improviser presets")
        return Choose(value)
    if value is None:
        raise UsageError("key takes a key, or auto: improviser ctl key Am")
    if value != "auto":
        from improviser.music.scale import parse_key

        parse_key(value)
    return Lock(value)


def _show(state: dict[str, Any]) -> None:
    """Print how a jam stands, for people."""
    waits = "it waits" if state["waits_for"] is None else f"it waits for {state['waits_for']}"
    beat = "the beat runs" if state["rolling"] else waits
    say(f"Preset {state['preset']}, {state['tempo_bpm']:g} bpm ({state['clock']} clock), {beat}.")
    if state["key"]:
        locked = "" if state["lock"] == "auto" else " (locked)"
        say(f"Key {state['key']}{locked}, chord {state['chord'] or '-'}.")
    say("Knobs: " + ", ".join(f"{knob} {position:.2f}" for knob, position in state["panel"].items()) + ".")
    learned = state["learned"]
    if learned is not None:
        by = f"set {state['set']} of what it learned" if state["set"] else "the model as it was"
        figures = f"{learned['reward']:.2f} a step, drift {learned['drift']:.2f}"
        say(f"Learned by {learned['updates']} updates ({figures}): {learned['words']}. It plays by {by}.")
    switched = [name for name in ("mute", "solo", "freeze") if state[name]]
    if switched:
        say(f"On: {', '.join(switched)}.")
    say(
        f"Liked {state['likes']} times, disliked {state['dislikes']} times; "
        f"your taste: {state['words'] or NO_TASTE}."
    )
    if state["notice"]:
        say(f"It says: {state['notice']}.")
    if state["ignored"]:
        say(f"Messages that were ignored: {state['ignored']}.")
