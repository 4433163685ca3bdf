"""Runs a jam for `jam` and `demo`: starts the performer and what goes with it, and shows and records the jam."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from improviser.errors import ImproviserError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from improviser.app.jam_page import PageOptions
    from improviser.app.jam_settings import JamOptions
    from improviser.app.jam_view import SafeView, View
    from improviser.ipc.weight_mailbox import WeightMailbox
    from improviser.protocol import Event, Failed, PerformerSettings
    from improviser.supervisor.state import State
    from improviser.supervisor.supervisor import Supervisor
    from improviser.web.address import Door

EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class Beside:
    """What runs beside the music.

    Attributes:
        osc_port: UDP port for OSC; None: the port from the user's settings.
        learns: Whether to learn in the background.
        page: How to serve the page; None: no page.
        sounds: Whether to play the sound with fluidsynth.
    """

    osc_port: int | None = None
    learns: bool = False
    page: PageOptions | None = None
    sounds: bool = False


def perform(
    options: JamOptions,
    record: Path | None,
    beside: Beside,
    make_view: Callable[[PerformerSettings, State], View],
) -> None:
    """Run a jam until it ends or is stopped; show it, and record it.

    Args:
        options: Options of the command line.
        record: MIDI file to write; None for none.
        beside: What runs beside the music.
        make_view: Returns the view of the jam, from the performer's settings and the state of the jam.

    Raises:
        ImproviserError: The jam could not start, or ended with an error. What was played is written in both cases.
    """
    from improviser.supervisor.supervisor import Supervisor

    if beside.learns:
        from improviser.app.optional import need_training

        need_training()
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor())  # the performer's process loads its libraries meanwhile
        _check(record)
        begun = _begin(supervisor, options, beside, stack)
        from improviser.app.jam_view import SafeView
        from improviser.app.take import Take

        view = SafeView(make_view(begun.settings, supervisor.state))
        take = Take(begun.settings, record, view)
        company = _company(supervisor, begun, beside, stack)
        if begun.door is not None and beside.page is not None:
            from improviser.app.jam_page import serve_page, show_page

            company += serve_page(begun.door, begun.settings, supervisor, take.midi, stack)
            view.page(begun.door.address.url)
            show_page(begun.door.address.url, stack, opens=beside.page.opens)
        failed = _follow(supervisor, view, [take.record, *company, view.show])
        take.save()
        if failed is None and view.fault is not None:
            raise view.fault
    if failed is not None:
        raise UsageError(failed.text) if failed.code == EXIT_USAGE else ImproviserError(failed.text)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A started jam: the performer's settings, the page's socket, and the mailbox for learned weights."""

    settings: PerformerSettings
    door: Door | None
    mailbox: WeightMailbox | None


def _begin(supervisor: Supervisor, options: JamOptions, beside: Beside, stack: ExitStack) -> _Begun:
    """Start the performer: it opens its ports first, then plays."""
    from improviser.app.jam_page import open_door
    from improviser.app.jam_settings import performer_settings, port_settings
    from improviser.protocol import PlayerUse

    supervisor.open(port_settings(options))
    settings = performer_settings(options)
    door = None if beside.page is None else open_door(beside.page, supervisor.warn)
    mailbox = _mailbox(supervisor, stack) if beside.learns else None
    memory = "" if mailbox is None else str(mailbox.path)
    stays = door is not None and options.player is not PlayerUse.ALWAYS
    settings = replace(settings, stays=stays, mailbox=memory)
    supervisor.start(settings)
    return _Begun(settings, door, mailbox)


def _company(supervisor: Supervisor, begun: _Begun, beside: Beside, stack: ExitStack) -> list[Callable[[Event], None]]:
    """Start learning, sound and remote control; return the listeners for all events."""
    from improviser.app.jam_settings import osc_port_of_settings
    from improviser.config.resources import control_folder
    from improviser.remote.remote_control import RemoteControl

    osc_port = beside.osc_port or osc_port_of_settings()
    page_url = "" if begun.door is None else begun.door.address.url
    stack.enter_context(RemoteControl(supervisor, control_folder(), osc_port, page_url))
    hears: list[Callable[[Event], None]] = []
    if begun.mailbox is not None:
        hears.append(_learning(supervisor, begun.settings, begun.mailbox, stack))
    if beside.sounds:
        from improviser.synth.fluidsynth import Fluidsynth

        hears.append(stack.enter_context(Fluidsynth(supervisor.insert, begun.settings)).follow)
    return hears


def _mailbox(supervisor: Supervisor, stack: ExitStack) -> WeightMailbox | None:
    """Return a new mailbox for learned weights; None, with a warning, if it cannot be made."""
    from improviser.ipc.weight_mailbox import WeightMailbox

    try:
        mailbox = WeightMailbox.make()
    except ImproviserError as error:
        supervisor.warn(str(error))
        return None
    stack.callback(mailbox.remove)
    return mailbox


def _learning(
    supervisor: Supervisor, settings: PerformerSettings, mailbox: WeightMailbox, stack: ExitStack
) -> Callable[[Event], None]:
    """Start to learn in the background; return the listener for all events."""
    from improviser.config.resources import sessions_folder
    from improviser.online.learner_client import LearnerClient
    from improviser.session.journal import sets_folder

    try:
        learning = LearnerClient(supervisor, settings, mailbox, sets_folder(sessions_folder()))
    except OSError as error:
        supervisor.warn(f"cannot learn in the background: {error.strerror}. The jam goes on")
        return _deaf
    return stack.enter_context(learning).forward


def _deaf(_event: Event) -> None:
    """Ignore an event."""


def _follow(supervisor: Supervisor, view: SafeView, hears: Sequence[Callable[[Event], None]]) -> Failed | None:
    """Pass all events to the listeners, in this order, until the end; return the failure that ended the jam.

    The jam ends if its view fails, for example because the program that reads its output has ended.
    """
    from improviser.protocol import Failed, Stop

    failed = None
    for event in supervisor.events():
        for hear in hears:
            hear(event)
        if view.fault is not None and not supervisor.is_stopping:
            supervisor.send(Stop())
        if isinstance(event, Failed):
            failed = event
    return failed


def _check(record: Path | None) -> None:
    """Raise UsageError if the recording could not be written, or its suffix is not that of a MIDI file."""
    from improviser.midi.smf import check_suffix

    if record is None:
        return
    check_suffix(record)
    if not record.absolute().parent.is_dir():
        raise UsageError(
            f"cannot record to {record}: the folder {record.absolute().parent} does not exist. Create it first"
        )
