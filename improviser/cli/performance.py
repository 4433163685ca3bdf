"""What `jam` and `demo` share: their options, and the run of the performer, shown and recorded."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.errors import ImproviserError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.app import JamOptions
    from improviser.cli.page import PageOptions
    from improviser.cli.view import SafeView
    from improviser.control import Event, Failed, PerformerSettings
    from improviser.daemon.exchange import Exchange
    from improviser.daemon.supervisor import Supervisor
    from improviser.web.address import Door

EXIT_USAGE = 2


class BackendName(StrEnum):
    """The MIDI systems that can be chosen."""

    AUTO = "auto"
    JACK = "jack"
    ALSA = "alsa"
    COREMIDI = "coremidi"
    WINMM = "winmm"
    RTMIDI_JACK = "rtmidi-jack"
    LOOPBACK = "loopback"


class ClockName(StrEnum):
    """Whose beat can be chosen."""

    AUTO = "auto"
    OWN = "own"
    MIDI = "midi"
    LINK = "link"


NotInOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not-in", metavar="PATTERN", help="Do not listen to the ports whose names match; may be repeated."
    ),
]
OutOption = Annotated[
    str | None,
    typer.Option("--out", metavar="PATTERN", help="Play on this port instead of 'Improviser Out'."),
]
TempoOption = Annotated[
    float | None, typer.Option("--tempo", metavar="BPM", min=20, max=400, help="Quarter notes a minute.")
]
MeterOption = Annotated[
    str | None,
    typer.Option("--meter", metavar="N/N", help="Time signature, such as 3/4, 5/4, 7/8 or 12/8."),
]
SwingOption = Annotated[
    float | None,
    typer.Option(
        "--swing",
        metavar="SHARE",
        min=0.5,
        max=0.75,
        help="Share of a beat that its first eighth takes.",
    ),
]
BarsOption = Annotated[
    int | None, typer.Option("--bars", min=1, help="End after so many bars from the first note on.")
]
BackendOption = Annotated[BackendName | None, typer.Option("--backend", help="The MIDI system.")]
ClockOption = Annotated[
    ClockName | None,
    typer.Option(
        "--clock",
        help="Follow a MIDI clock once it is started (auto), never (own), from its first tick on (midi), "
        "or Ableton Link (link).",
    ),
]
ClockOutOption = Annotated[
    bool | None,
    typer.Option("--clock-out/--no-clock-out", help="Send MIDI clock, start and stop with the notes."),
]
CountInOption = Annotated[
    int,
    typer.Option(
        "--count-in", metavar="BARS", min=0, max=8, help="Click so many bars, then begin by itself."
    ),
]
MetronomeOption = Annotated[
    bool | None, typer.Option("--metronome/--no-metronome", help="Click each beat on channel 10.")
]
ThruOption = Annotated[
    bool | None, typer.Option("--thru/--no-thru", help="Pass on what you play to the output, at once.")
]
ListenChannelOption = Annotated[
    list[int] | None,
    typer.Option(
        "--listen-channel",
        metavar="1-16",
        min=1,
        max=16,
        help="Listen to this channel only; may be repeated.",
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NOTE", help="Split the keyboard: listen from this note up, such as C4."),
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="NOTE", help="Listen up to this note.")]
ChannelOption = Annotated[
    int | None, typer.Option("--channel", metavar="1-16", min=1, max=16, help="Play on this channel.")
]
ProgramOption = Annotated[
    int | None,
    typer.Option("--program", metavar="1-128", min=1, max=128, help="Choose this sound at the start."),
]
OscOption = Annotated[
    int | None,
    typer.Option("--osc", metavar="PORT", min=1, max=65535, help="Take OSC messages on this UDP port."),
]
LearnOption = Annotated[
    bool,
    typer.Option("--learn", help="Learn beside you in the background too; needs the extra train (PyTorch)."),
]
SoundOption = Annotated[
    bool,
    typer.Option(
        "--sound", help="Let fluidsynth sound, where it is installed: started here, and ended again."
    ),
]
RecordOption = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE.mid", help="Write both parts to a MIDI file, never over another."),
]


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes on beside the music.

    Attributes:
        osc_port: UDP port on which OSC is taken; None: as the user's settings say.
        learns: Whether it learns in the background.
        page: How the page is served; None: not at all.
        sounds: Whether fluidsynth sounds.
    """

    osc_port: int | None = None
    learns: bool = False
    page: PageOptions | None = None
    sounds: bool = False


def perform(options: JamOptions, record: Path | None, beside: Beside | None = None, *, as_json: bool) -> None:
    """Jam as `options` say until it ends or is stopped; show it, and write it to `record`.

    Raises:
        ImproviserError: It could not begin, or ended by a fault; what was played until then is written.
    """
    from improviser.daemon.supervisor import Supervisor

    beside = beside or Beside()
    if beside.learns:
        from improviser.cli.extras import need_training

        need_training()
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor())  # its process loads libraries meanwhile
        _check(record)
        begun = _begin(supervisor, options, beside, stack)
        from improviser.cli.take import Take
        from improviser.cli.view import SafeView, choose_view

        view = SafeView(choose_view(begun.settings, as_json=as_json))
        take = Take(begun.settings, record, view)
        company = _company(supervisor, begun, beside, stack)
        if begun.door is not None and beside.page is not None:
            from improviser.cli.page import serve_page, show_page

            company += serve_page(begun.door, begun.settings, supervisor, take.midi, stack)
            view.page(begun.door.address.url)
            show_page(begun.door.address.url, beside.page.opens, stack)
        failed = _follow(supervisor, view, [take.hear, *company, view.show])
        take.save()
        if failed is None and view.fault is not None:
            raise view.fault
    if failed is not None:
        raise UsageError(failed.text) if failed.code == EXIT_USAGE else ImproviserError(failed.text)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the performer was told, where the page is served, and the memory through which sets come."""

    settings: PerformerSettings
    door: Door | None
    exchange: Exchange | None


def _begin(supervisor: Supervisor, options: JamOptions, beside: Beside, stack: ExitStack) -> _Begun:
    """Let the performer open its ports, and begin."""
    from improviser.app import performer_settings, port_settings
    from improviser.cli.page import open_door

    supervisor.open(port_settings(options))
    settings = performer_settings(options)
    door = None if beside.page is None else open_door(beside.page, supervisor.warn)
    exchange = _exchange(supervisor, stack) if beside.learns else None
    memory = "" if exchange is None else str(exchange.path)
    settings = replace(settings, stays=door is not None, exchange=memory)
    supervisor.start(settings)
    return _Begun(settings, door, exchange)


def _company(
    supervisor: Supervisor, begun: _Begun, beside: Beside, stack: ExitStack
) -> list[Callable[[Event], None]]:
    """Let others learn, hear and steer; give what has to be told of all that happens."""
    from improviser.app import osc_port_of_settings
    from improviser.config.resources import control_folder
    from improviser.daemon.doors import Doors

    osc_port = beside.osc_port or osc_port_of_settings()
    stack.enter_context(Doors(supervisor, control_folder(), osc_port))
    hears: list[Callable[[Event], None]] = []
    if begun.exchange is not None:
        hears.append(_learning(supervisor, begun.settings, begun.exchange, stack))
    if beside.sounds:
        from improviser.daemon.fluidsynth import Fluidsynth

        hears.append(stack.enter_context(Fluidsynth(supervisor.insert, begun.settings)).hear)
    return hears


def _exchange(supervisor: Supervisor, stack: ExitStack) -> Exchange | None:
    """Make the memory through which what is learned comes; where there is none, say so."""
    from improviser.daemon.exchange import Exchange

    try:
        exchange = Exchange.make()
    except ImproviserError as error:
        supervisor.warn(str(error))
        return None
    stack.callback(exchange.remove)
    return exchange


def _learning(
    supervisor: Supervisor, settings: PerformerSettings, exchange: Exchange, stack: ExitStack
) -> Callable[[Event], None]:
    """Start to learn in the background; give what has to be told of all that happens."""
    from improviser.config.resources import sessions_folder
    from improviser.daemon.journal import sets_folder
    from improviser.daemon.learning import Learning

    try:
        learning = Learning(supervisor, settings, exchange, sets_folder(sessions_folder()))
    except OSError as error:
        supervisor.warn(f"nothing is learned in the background: {error.strerror}; the music goes on")
        return _deaf
    return stack.enter_context(learning).hear


def _deaf(_event: Event) -> None:
    """Hear nothing."""


def _follow(
    supervisor: Supervisor, view: SafeView, hears: Sequence[Callable[[Event], None]]
) -> Failed | None:
    """Let all that happens be heard, in this order, until the end; give the fault that ended it.

    Where it cannot be shown any more, as when what it is piped into has ended, the jam ends.
    """
    from improviser.control import Failed, Stop

    failed = None
    for event in supervisor.events():
        for hear in hears:
            hear(event)
        if view.fault is not None and not supervisor.is_stopping:
            supervisor.tell(Stop())
        if isinstance(event, Failed):
            failed = event
    return failed


def _check(record: Path | None) -> None:
    """Raise UsageError where a recording could not be written in the end, or not be told from other files."""
    from improviser.midi.smf import check_suffix

    if record is None:
        return
    check_suffix(record)
    if not record.absolute().parent.is_dir():
        raise UsageError(
            f"cannot record to {record}: there is no folder {record.absolute().parent}; make it first"
        )
