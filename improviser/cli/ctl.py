"""`improviser ctl`: steers a running jam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from improviser.cli.console import NO_TASTE, say, say_json
from improviser.cli.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.protocol import Knob, Steer

EXAMPLES = """
improviser ctl
improviser ctl harmony 1.5
improviser ctl tempo 96
improviser ctl follow
improviser ctl preset fiddle
improviser ctl key Am
improviser ctl count-in
improviser ctl timing on-grid
improviser ctl mode trade-4
improviser ctl offset -8
improviser ctl like
improviser ctl undo
improviser ctl page
improviser ctl --jam bass density 0.6
improviser ctl --json
"""

PAGE = "page"
NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="A knob: harmony, coherence, creativity, temperature, density, register, echo, velocity, feel or tempo. "
        "preset, key, timing, mode or offset. An action: like, dislike, undo, undo_all, freeze, mute, solo, panic, "
        "keep, tap, follow, next_preset, next_mode or end. count-in, to click one bar or more and begin with bar 1. Or "
        "page, to print the address of the page.",
    ),
]
ValueArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[VALUE]",
        help="For a knob: 0 to 2, where 1 is the preset's value. For tempo: 20 to 400 beats per minute. For "
        "preset: its name. For key: a key such as C or Am, or auto. For timing: on-grid, after-you or auto. For mode: "
        "with-me, when-i-stop, trade-1, trade-2, trade-4, trade-8 or alone. For offset: milliseconds by which notes "
        "leave later, -100 to 100. For count-in: 1 to 8 bars (default 1).",
    ),
]
WhichOption = Annotated[
    str | None,
    typer.Option(
        "--jam", metavar="NAME", help="Which jam, if several run: its name, or its process number. Default: the newest."
    ),
]


def ctl(
    name: NameArgument = None,
    value: ValueArgument = None,
    jam: WhichOption = None,
    json: JsonOption = False,
) -> None:
    """Steer a running jam: turn a knob, choose a preset or key, like, mute.

    Without a name, print the status of the jam. mute, solo and freeze are switches: the same command switches
    them off. Knobs glide to their new value. The exit code is 1 if the jam refuses, for example a preset that it
    does not have; the reason is printed.
    """
    from improviser.config.resources import control_folder
    from improviser.errors import ImproviserError
    from improviser.remote.control_socket import ask

    answer = ask(control_folder(), _line(name, value), jam)
    if answer.get("event") == "error":
        raise ImproviserError(str(answer.get("text")))
    if json:
        say_json(answer)
    elif answer["event"] == "page":
        say(answer["url"])
    elif name is None or not answer["refused"]:
        _show(answer)
    if name is not None and answer.get("refused"):
        raise ImproviserError(answer["refused"])


def _line(name: str | None, value: str | None) -> str:
    """Return the line to send to the jam. Raises UsageError for an invalid name or value."""
    from improviser.protocol import value_to_line

    if name is None or (name == PAGE and value is None):
        return '{"event": "state"}' if name is None else '{"event": "page"}'
    return value_to_line(_command(name, value))


def _command(name: str, value: str | None) -> Steer:
    """Return the command for a name and a value. Raises UsageError for an invalid name or value."""
    from improviser.config.document import nearest
    from improviser.errors import UsageError
    from improviser.protocol import Act, Action, Knob

    known = {str(each): each for each in (*Knob, *Action)} | dict.fromkeys((*CHOICES, PAGE))
    if name not in known:
        raise UsageError(f"no knob or action {name!r}{nearest(name, known)}; see: improviser ctl --help")
    does = known[name]
    if isinstance(does, Knob):
        return _turn(does, value)
    if does is None and name != PAGE:
        return CHOICES[name](value)
    if does is None or value is not None:
        raise UsageError(f"{name} takes no value: improviser ctl {name}")
    return Act(does)


def _turn(knob: Knob, value: str | None) -> Steer:
    """Return the command that turns a knob. Raises UsageError if the value is out of range."""
    from improviser.errors import UsageError
    from improviser.protocol import TEMPO_BPM, TURNS_MAX, Knob, Turn

    low, high = TEMPO_BPM if knob is Knob.TEMPO else (0.0, TURNS_MAX)
    not_that = "" if value is None else f", not {value}"
    try:
        return Turn(knob, float(value or "nan"))
    except ValueError as error:
        raise UsageError(
            f"{knob} takes a value from {low:g} to {high:g}{not_that}: improviser ctl {knob} {high / 2:g}"
        ) from error


def _count_in(value: str | None) -> Steer:
    """Return the command that counts in. Raises UsageError if the number of bars is out of range."""
    from improviser.choices import COUNT_IN_BARS_MAX
    from improviser.errors import UsageError
    from improviser.protocol import CountIn

    try:
        return CountIn(1 if value is None else int(value))
    except ValueError as error:
        raise UsageError(
            f"count-in takes 1 to {COUNT_IN_BARS_MAX} bars, not {value}: improviser ctl count-in 2"
        ) from error


def _choose(value: str | None) -> Steer:
    """Return the command that chooses a preset. Raises UsageError if the value is missing."""
    from improviser.errors import UsageError
    from improviser.protocol import Choose

    if value is None:
        raise UsageError("preset takes a name: improviser ctl preset fiddle; see: improviser presets")
    return Choose(value)


def _lock(value: str | None) -> Steer:
    """Return the command that locks a key. Raises UsageError if the value is missing or wrong."""
    from improviser.errors import UsageError
    from improviser.protocol import Lock

    if value is None:
        raise UsageError("key takes a key, or auto: improviser ctl key Am")
    if value != "auto":
        from improviser.music.scale import parse_key

        parse_key(value)
    return Lock(value)


def _set_timing(value: str | None) -> Steer:
    """Return the command that chooses when notes leave. Raises UsageError if the value is missing or wrong."""
    from improviser.choices import NoteTiming
    from improviser.errors import UsageError
    from improviser.protocol import SetTiming

    try:
        return SetTiming(NoteTiming(value or ""))
    except ValueError as error:
        names = ", ".join(NoteTiming)
        raise UsageError(f"timing takes one of {names}: improviser ctl timing on-grid") from error


def _set_mode(value: str | None) -> Steer:
    """Return the command that chooses when improviser plays. Raises UsageError if the value is missing or wrong."""
    from improviser.choices import PlayMode
    from improviser.errors import UsageError
    from improviser.protocol import SetMode

    try:
        return SetMode(PlayMode(value or ""))
    except ValueError as error:
        raise UsageError(f"mode takes one of {', '.join(PlayMode)}: improviser ctl mode trade-4") from error


def _set_offset(value: str | None) -> Steer:
    """Return the command that sets the offset of the notes. Raises UsageError if the value is missing or wrong."""
    from improviser.errors import UsageError
    from improviser.protocol import OFFSET_MS, SetOffset

    try:
        return SetOffset(float(value or "nan"))
    except ValueError as error:
        low, high = OFFSET_MS
        raise UsageError(f"offset takes {low:g} to {high:g} milliseconds: improviser ctl offset -8") from error


CHOICES: Final[dict[str, Callable[[str | None], Steer]]] = {
    "preset": _choose,
    "key": _lock,
    "timing": _set_timing,
    "mode": _set_mode,
    "offset": _set_offset,
    "count-in": _count_in,
}


# The words for each timing of the notes.
TURNS: Final = {True: "its", False: "your"}
LEAVES: Final = {"on-grid": "on the grid", "after-you": "after you"}


def _clock(state: dict[str, Any]) -> str:
    """Return whose beat it is, and how sure that is if it is the player's."""
    if state["clock"] != "follow":
        return f"{state['clock']} clock"
    return f"your beat, {state['beat_confidence']:.0%} sure" if state["beat_followed"] else "your beat, not found yet"


def _show(state: dict[str, Any]) -> None:
    """Print the status of a jam for people."""
    does = state["silent"] or "it plays"
    say(f"Preset {state['preset']}, {state['tempo_bpm']:.4g} bpm ({_clock(state)}); {does}.")
    say(f"Listens to: {', '.join(state['ports'].get('in', ())) or 'no port'}. Plays on: {state['sends_on']}.")
    if state["gone"]:
        say(f"Disconnected, and used again when back: {', '.join(state['gone'])}.")
    if state["key"]:
        locked = "" if state["lock"] == "auto" else " (locked)"
        say(f"Key {state['key']}{locked}, chord {state['chord'] or '-'}.")
    is_ours, bar, bars = state["turn"] or (False, 0, 0)
    say(f"Mode: {state['mode']}" + (f"; {TURNS[is_ours]} turn, bar {bar} of {bars}." if bars else "."))
    offset = f", {state['offset_ms']:+g} ms" if state["offset_ms"] else ""
    say(f"Notes leave {LEAVES[state['timing_now']]}{offset}.")
    say("Knobs: " + ", ".join(f"{knob} {position:.2f}" for knob, position in state["panel"].items()) + ".")
    learned = state["learned"]
    if learned is not None:
        by = f"checkpoint {state['checkpoint']}" if state["checkpoint"] else "the original model"
        figures = f"{learned['reward']:.2f} a step, drift {learned['drift']:.2f}"
        say(f"Learned by {learned['updates']} updates ({figures}): {learned['words']}. It uses {by}.")
    switched = [name for name in ("mute", "solo", "freeze") if state[name]]
    if switched:
        say(f"On: {', '.join(switched)}.")
    say(f"Liked {state['likes']} times, disliked {state['dislikes']} times; your taste: {state['words'] or NO_TASTE}.")
    if state["notice"]:
        say(f"It says: {state['notice']}.")
    if state["ignored"]:
        say(f"Messages ignored: {state['ignored']}.")
