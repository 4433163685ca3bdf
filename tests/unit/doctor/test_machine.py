"""The doctor's findings about rights, folders, models, jams, and optional programs."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import webbrowser
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from improviser.doctor import Finding, Status, extras, folders, music, rights
from improviser.ports import priority
from improviser.remote import control_socket
from tests.examined import Renamed, only, opened

PASS, WARN, FAIL = Status.PASS, Status.WARN, Status.FAIL


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's folder."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_real_time_priority_is_asked_for_in_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real-time priority is tried in a thread that ends; a refusal gives the system's next step."""
    asked: list[threading.Thread] = []

    def raise_priority() -> bool:
        """Refuse, in that thread."""
        asked.append(threading.current_thread())
        return False

    monkeypatch.setattr(priority, "raise_priority", raise_priority)
    finding = only(rights.check_priority())
    assert (WARN, False) == (finding.status, asked[0].is_alive())
    assert "rtprio 20" in finding.next_step
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "rtprio" not in only(rights.check_priority()).next_step
    monkeypatch.setattr(priority, "raise_priority", lambda: True)
    assert PASS is only(rights.check_priority()).status


def test_a_user_without_rights_is_told_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the group, the limit and the sequencer are checked, each with its command."""
    grp, resource = pytest.importorskip("grp"), pytest.importorskip("resource")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [29])
    monkeypatch.setattr(grp, "getgrnam", lambda _: SimpleNamespace(gr_gid=29))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (95, 95))
    monkeypatch.setattr(rights, "ALSA_SEQUENCER", tmp_path)
    assert [PASS, PASS, PASS] == [finding.status for finding in rights.check_rights("alsa")]
    monkeypatch.setattr(os, "getgroups", list)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (0, 0))
    monkeypatch.setattr(rights, "ALSA_SEQUENCER", tmp_path / "none")
    group, limit, sequencer = rights.check_rights("")
    assert [WARN, WARN, WARN] == [group.status, limit.status, sequencer.status]
    assert "sudo usermod -aG audio $USER, then log in again" == group.next_step
    assert "up to 0; improviser asks for 5" == limit.found
    assert sequencer.next_step.startswith("sudo modprobe snd-seq")
    assert PASS is list(rights.check_rights("jack"))[2].status


def test_more_of_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root has all rights, a system without the group needs none, and a sequencer that refuses is reported."""
    grp, resource = pytest.importorskip("grp"), pytest.importorskip("resource")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(rights, "ALSA_SEQUENCER", Path(os.devnull))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    group, limit, sequencer = rights.check_rights("alsa")
    assert [PASS, PASS, WARN] == [group.status, limit.status, sequencer.status]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(grp, "getgrnam", lambda name: {}[name])
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert [PASS, PASS] == [finding.status for finding in rights.check_rights("alsa")][:2]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Finding("rights", PASS, "not needed on this system") == only(rights.check_rights(""))


def test_folders_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing folder is checked through its parent; a folder without rights or space is reported."""
    monkeypatch.setenv("IMPROVISER_STATE_DIR", str(tmp_path / "new" / "state"))
    state, _ = folders.check_folders()
    assert (PASS, True) == (state.status, state.found.startswith(f"{tmp_path / 'new' / 'state'} is writable"))
    assert [] == list(tmp_path.iterdir())
    for free_mb, status in ((100, WARN), (1, FAIL)):
        usage = SimpleNamespace(free=free_mb * 1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert [status, status] == [finding.status for finding in folders.check_folders()]

    def refuse(**_: object) -> None:
        """Raise OSError."""
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    state, _ = folders.check_folders()
    assert (FAIL, True) == (state.status, "IMPROVISER_STATE_DIR" in state.next_step)


def test_the_model_decides(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default preset's model is loaded and used for a decision; a missing model fails."""
    finding = only(music.check_model())
    assert (PASS, True) == (finding.status, finding.found.startswith("chorale: chorale.safetensors ("))
    monkeypatch.setattr(music, "_STEPS_MAX", 0)
    assert "the model returns no decision" == only(music.check_model()).found
    (home / "settings.toml").write_text('preset = "none"\n')
    assert FAIL is only(music.check_model()).status


def test_jams_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A running jam is reported with its preset; a jam that has ports but does not answer is a warning."""
    answers: list[object] = [{"preset": "fiddle"}]

    def ask(*_: object) -> object:
        """Answer, or raise as if no jam were there."""
        if not answers:
            return real_ask(tmp_path, "")
        return answers.pop()

    real_ask = control_socket.ask
    monkeypatch.setattr(music, "ask", ask)
    backend = Renamed()
    assert "one is running (preset fiddle)" in only(music.check_jams(opened(backend))).found
    assert Finding("other jams", PASS, "none is running") == only(music.check_jams(opened(backend)))
    assert PASS is only(music.check_jams(opened(None))).status
    backend.open_virtual_output("Improviser Out")
    finding = only(music.check_jams(opened(backend)))
    assert (WARN, "there is a port 'Improviser Out', but no jam is running") == (
        finding.status,
        finding.found,
    )


def test_what_is_beside_playing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each missing optional library is reported with its command."""

    def find_spec(name: str) -> None:
        """Return None for each of them."""
        if name == "link":
            raise ValueError(name)

    monkeypatch.setattr(extras, "find_spec", find_spec)
    assert "pip install starlette uvicorn websockets" == only(extras.check_web()).next_step
    train, link = extras.check_extras()
    assert train.next_step.startswith('pip install "improviser-live[train]"')
    assert (WARN, "not installed: link; only needed for --clock link") == (link.status, link.found)
    monkeypatch.setattr(extras, "find_spec", lambda name: name)
    assert [PASS, PASS] == [finding.status for finding in extras.check_extras()]
    assert PASS is only(extras.check_web()).status


def test_browser_and_synthesizer_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browser and synthesizer are named where they exist; otherwise the system's next step is given."""

    def refuse() -> None:
        """Return nothing."""
        raise webbrowser.Error("none")

    monkeypatch.setattr(webbrowser, "get", lambda: SimpleNamespace(name="firefox"))
    assert Finding("browser", PASS, "firefox") == only(extras.check_browser())
    monkeypatch.setattr(webbrowser, "get", refuse)
    assert "firefox" in only(extras.check_browser()).next_step
    monkeypatch.setattr(extras, "missing", lambda: "")
    monkeypatch.setattr(extras, "find_soundfont", partial(Path, "Small.sf2"))
    assert "fluidsynth with Small.sf2, for jam --sound" == only(extras.check_synthesizer()).found
    monkeypatch.setattr(extras, "missing", lambda: "fluidsynth is not installed")
    assert (WARN, True) == (
        only(extras.check_synthesizer()).status,
        bool(only(extras.check_synthesizer()).next_step),
    )
