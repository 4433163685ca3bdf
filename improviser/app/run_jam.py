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
    from improviser.web.address import PageSocket

EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class JamServices:
    """What runs services the music.

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
    services: JamServices,
    make_view: Callable[[PerformerSettings, State], View],
) -> None:
    """Run a jam until it ends or is stopped; show it, and record it.

    Args:
        options: Options of the command line.
        record: MIDI file to write; None for none.
        services: What runs services the music.
        make_view: Returns the view of the jam, from the performer's settings and the state of the jam.

    Raises:
        ImproviserError: The jam could not start, or ended with an error. What was played is written in both cases.
    """
    from improviser.supervisor.supervisor import Supervisor

    if services.learns:
        from improviser.app.optional import need_training

        need_training()
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor())  # the performer's process loads its libraries meanwhile
        _check(record)
        begun = _begin(supervisor, options, services, stack)
        from improviser.app.jam_view import SafeView
        from improviser.app.take import Take

        view = SafeView(make_view(begun.settings, supervisor.state))
        take = Take(begun.settings, record, view)
        listeners = _start_services(supervisor, begun, services, stack)
        if begun.page_socket is not None and services.page is not None:
            from improviser.app.jam_page import serve_page, show_page

            listeners += serve_page(begun.page_socket, begun.settings, supervisor, take.midi, stack)
            view.page(begun.page_socket.address.url)
            show_page(begun.page_socket.address.url, stack, opens=services.page.opens)
        failed = _follow(supervisor, view, [take.record, *listeners, view.show])
        take.save()
        if failed is None and view.fault is not None:
            raise view.fault
    if failed is not None:
        raise UsageError(failed.text) if failed.code == EXIT_USAGE else ImproviserError(failed.text)


@dataclass(frozen=True, slots=True)
class _StartedJam:
    """A started jam: the performer's settings, the page's socket, the mailbox for learned weights, and its name."""

    settings: PerformerSettings
    page_socket: PageSocket | None
    mailbox: WeightMailbox | None
    name: str


def _begin(supervisor: Supervisor, options: JamOptions, services: JamServices, stack: ExitStack) -> _StartedJam:
    """Start the performer: it opens its ports first, then plays."""
    from improviser.app.jam_page import open_page_socket
    from improviser.app.jam_settings import performer_settings, port_settings
    from improviser.protocol import PlayerUse

    supervisor.open(port_settings(options))
    settings = performer_settings(options)
    page_socket = None if services.page is None else open_page_socket(services.page, supervisor.warn)
    mailbox = _mailbox(supervisor, stack) if services.learns else None
    memory = "" if mailbox is None else str(mailbox.path)
    stays = page_socket is not None and options.player is not PlayerUse.ALWAYS
    settings = replace(settings, stays=stays, mailbox=memory)
    supervisor.start(settings)
    return _StartedJam(settings, page_socket, mailbox, options.name or "")


def _start_services(
    supervisor: Supervisor, begun: _StartedJam, services: JamServices, stack: ExitStack
) -> list[Callable[[Event], None]]:
    """Start learning, sound and remote control; return the listeners for all events."""
    from improviser.app.jam_settings import osc_port_of_settings
    from improviser.config.resources import control_folder
    from improviser.remote.remote_control import RemoteControl

    osc_port = services.osc_port or osc_port_of_settings()
    page_url = "" if begun.page_socket is None else begun.page_socket.address.url
    stack.enter_context(RemoteControl(supervisor, control_folder(), osc_port, page_url, begun.name))
    listeners: list[Callable[[Event], None]] = []
    if begun.mailbox is not None:
        listeners.append(_learning(supervisor, begun.settings, begun.mailbox, stack))
    if services.sounds:
        from improviser.synth.fluidsynth import Fluidsynth

        listeners.append(stack.enter_context(Fluidsynth(supervisor.insert, begun.settings)).follow)
    return listeners


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
    from improviser.session.journal import weights_folder

    try:
        learning = LearnerClient(supervisor, settings, mailbox, weights_folder(sessions_folder()))
    except OSError as error:
        supervisor.warn(f"cannot learn in the background: {error.strerror}. The jam goes on")
        return _ignore_event
    return stack.enter_context(learning).forward


def _ignore_event(_event: Event) -> None:
    """Ignore an event."""


def _follow(supervisor: Supervisor, view: SafeView, listeners: Sequence[Callable[[Event], None]]) -> Failed | None:
    """Pass all events to the listeners, in this order, until the end; return the failure that ended the jam.

    The jam ends if its view fails, for example because the program that reads its output has ended.
    """
    from improviser.protocol import Failed, Stop

    failed = None
    for event in supervisor.events():
        for hear in listeners:
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
