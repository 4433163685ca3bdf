"""Runs all checks in turn. No check raises, and none disturbs a running jam."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from improviser.doctor.clock_in import check_clock
from improviser.doctor.extras import check_browser, check_extras, check_synthesizer, check_web
from improviser.doctor.finding import Finding, failed
from improviser.doctor.folders import check_folders
from improviser.doctor.midi import MidiSystem, check_loopback_driver, check_ports, check_system
from improviser.doctor.music import check_jams, check_model, check_presets
from improviser.doctor.rights import check_priority, check_rights
from improviser.doctor.round_trip import check_round_trip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def examine(backend: str | None = None) -> Iterator[Finding]:
    """Yield the findings of each check as soon as they are known. All checks take about four seconds.

    The ports that they make are called 'Improviser Probe'. A jam neither listens to these nor takes them for another
    jam's ports.

    Args:
        backend: Name of the MIDI system, one of ports.BACKENDS; None: the one that a jam uses.

    Threads: blocks its thread, so it must not run in a server's thread.
    """
    with closing(MidiSystem(backend)) as midi:
        checks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
            ("MIDI system", lambda: check_system(midi)),
            ("ports", lambda: check_ports(midi)),
            ("loopback driver", check_loopback_driver),
            ("rights", lambda: check_rights(midi.name)),
            ("real-time priority", check_priority),
            ("clock in", lambda: check_clock(midi)),
            ("round trip", lambda: check_round_trip(midi)),
            ("folders", check_folders),
            ("presets", check_presets),
            ("model", check_model),
            ("other jams", lambda: check_jams(midi)),
            ("page", check_web),
            ("browser", check_browser),
            ("synthesizer", check_synthesizer),
            ("extras", check_extras),
        )
        for name, check in checks:
            yield from _guarded(name, check)


def report(backend: str | None = None) -> list[dict[str, str]]:
    """Return all findings as JSON objects with name, status, found and next_step.

    Threads: as `examine`.
    """
    return [finding.to_json() for finding in examine(backend)]


def _guarded(name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check; if the check raises, yield that as a finding."""
    try:
        yield from check()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a driver raises is a finding
        kind = type(error).__name__
        yield failed(name, f"the check failed: {kind}: {error}", "run it again; if it happens again, report it")
