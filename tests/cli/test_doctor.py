"""`improviser doctor`, on given findings and on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from improviser import doctor
from improviser.cli import main
from improviser.doctor import Finding, Status, clock_in

if TYPE_CHECKING:
    from tests.cli.conftest import Run, RunJson

FINE = Finding("MIDI system", Status.PASS, "jack")
DOUBTFUL = Finding("ports", Status.WARN, "none", "connect a keyboard")
BROKEN = Finding("model", Status.FAIL, "no model", "install it")


def let_find(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> list[str | None]:
    """Make the doctor return these findings; return the MIDI systems that it examines."""
    asked: list[str | None] = []

    def examine(backend: str | None) -> Iterator[Finding]:
        """Record the system, and return the findings."""
        asked.append(backend)
        yield from findings

    monkeypatch.setattr(doctor, "examine", examine)
    return asked


def test_each_finding_is_a_line_with_its_next_step_below(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passed finding is one line; a warning has its next step indented below it, and is not a failure."""
    let_find(monkeypatch, FINE, DOUBTFUL)
    assert ["pass  MIDI system: jack", "warn  ports: none", "      -> connect a keyboard"] == (
        run("doctor").splitlines()
    )


def test_what_fails_fails_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed finding gives exit code 1, and everything else is still examined."""
    asked = let_find(monkeypatch, BROKEN, FINE)
    assert 1 == main(["doctor", "--backend", "alsa"])
    lines = capsys.readouterr().out.splitlines()
    assert ["fail  model: no model", "      -> install it", "pass  MIDI system: jack"] == lines
    assert ["alsa"] == asked


def test_this_machine_is_looked_at(run_json: RunJson, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json each finding is an object; on this machine nothing fails, and each warning has a next step."""
    monkeypatch.setattr(clock_in, "LISTEN_S", 0.0)
    findings = run_json("doctor", "--backend", "loopback")
    assert {("name", "status", "found", "next_step")} == {tuple(finding) for finding in findings}
    names = [finding["name"] for finding in findings]
    assert ["MIDI system", "ports", "loopback driver"] == names[:3]
    assert len(names) == len(set(names))
    assert [] == [finding for finding in findings if bool(finding["next_step"]) is (finding["status"] == "pass")]
