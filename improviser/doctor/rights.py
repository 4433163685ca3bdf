"""Checks what the operating system permits: use of the ALSA sequencer, and real-time priority."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Final

from improviser.doctor.finding import by_system, passed, warned
from improviser.ports import priority
from improviser.ports.sequencer import ALSA_SEQUENCER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.doctor.finding import Finding

_GROUP: Final = "audio"
_JOIN: Final = "sudo usermod -aG audio $USER, then log in again"
_ALLOW: Final = (
    "echo '@audio - rtprio 20' | sudo tee /etc/security/limits.d/audio.conf, join the group "
    "(sudo usermod -aG audio $USER) and log in again; or let the distribution do it: sudo apt install jackd2 "
    "and sudo dpkg-reconfigure -p high jackd2"
)
_CLOSE: Final = "close other programs while you play; no permission is needed"
_PATIENCE_S: Final = 2.0


def check_rights(midi_system: str) -> Iterator[Finding]:
    """Report the permissions that Linux needs; `midi_system` is the name of the open one, or empty."""
    if sys.platform != "linux":
        yield passed("rights", "not needed on this system")
        return
    yield _group()
    yield _limit()
    yield _sequencer(midi_system)


def check_priority() -> Iterator[Finding]:
    """Request real-time priority as the performer does, in a temporary thread."""
    given: list[bool] = []
    thread = threading.Thread(target=lambda: given.append(priority.raise_priority()), daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    if given == [True]:
        yield passed("real-time priority", "granted: notes are on time on a busy machine")
    else:
        steps = {"darwin": _CLOSE, "win32": _CLOSE}
        yield warned("real-time priority", "refused: notes may be late on a busy machine", by_system(steps, _ALLOW))


def _group() -> Finding:
    """Report whether the user is in the group for audio devices."""
    import grp  # noqa: PLC0415 - not on Windows

    name = f"group {_GROUP}"
    if os.geteuid() == 0:
        return passed(name, "not needed: you are root")
    try:
        group = grp.getgrnam(_GROUP)
    except KeyError:
        return passed(name, "this system has no such group; not needed")
    if group.gr_gid in {os.getegid(), *os.getgroups()}:
        return passed(name, "you are a member")
    return warned(name, "you are not a member, so sound and real-time priority may be refused", _JOIN)


def _limit() -> Finding:
    """Report the highest real-time priority that the user may request."""
    import resource  # noqa: PLC0415 - not on Windows

    name = "real-time limit"
    if os.geteuid() == 0:
        return passed(name, "none: you are root")
    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    if limit == resource.RLIM_INFINITY or limit >= priority.CLIENT_PRIORITY:
        return passed(name, "none" if limit == resource.RLIM_INFINITY else f"up to {limit}")
    return warned(name, f"up to {limit}; improviser asks for {priority.CLIENT_PRIORITY}", _ALLOW)


def _sequencer(midi_system: str) -> Finding:
    """Report whether the user may use the ALSA sequencer."""
    name = "ALSA sequencer"
    if os.access(ALSA_SEQUENCER, os.R_OK | os.W_OK):
        return passed(name, f"{ALSA_SEQUENCER} is readable and writable")
    if not ALSA_SEQUENCER.exists():
        if midi_system and midi_system != "alsa":
            return passed(name, f"not loaded; not needed with {midi_system}")
        step = "sudo modprobe snd-seq; or use JACK: see the MIDI system above"
        return warned(name, f"there is no {ALSA_SEQUENCER}", step)
    return warned(name, f"no permission for {ALSA_SEQUENCER}", _JOIN)
