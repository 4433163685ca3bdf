"""`improviser doctor`: checks whether this machine can play, and says what to do if it cannot."""

from __future__ import annotations

import typer

from improviser.cli.console import say, say_json
from improviser.cli.options import BackendOption, JsonOption

EXAMPLES = """
improviser doctor
improviser doctor --backend alsa
improviser doctor --json
"""


def doctor(backend: BackendOption = None, json: JsonOption = False) -> None:
    """Check this machine: MIDI, ports, rights, clock, latency, folders, model, page, extras.

    Each line passes, warns or fails, and names the next step if there is one. The exit code is 1 if a check
    fails. The check takes about four seconds and does not disturb a running jam.
    """
    from improviser.doctor import Status, examine

    has_failed = False
    for finding in examine(None if backend is None else str(backend)):
        has_failed = has_failed or finding.status is Status.FAIL
        if json:
            say_json(finding.to_json())
            continue
        say(f"{finding.status}  {finding.name}: {finding.found}")
        if finding.next_step:
            say(f"      -> {finding.next_step}")
    if has_failed:
        raise typer.Exit(1)
