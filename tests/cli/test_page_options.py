"""Opening the page: when, and by what."""

from __future__ import annotations

import stat
import sys
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlparse

import pytest

from improviser.cli.page import PageOptions, open_door, show_page
from tests.live import wait_for

URL = "http://127.0.0.1:8765/TOKEN/"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the browser is given."""
    given: list[str] = []
    monkeypatch.setattr(webbrowser, "open", given.append)
    monkeypatch.setenv("IMPROVISER_STATE_DIR", str(tmp_path))
    return given


def test_the_browser_is_given_a_file_of_the_users_own(opened: list[str]) -> None:
    """It leads to the page; the token is on no command line, and the file goes with the jam."""
    with ExitStack() as stack:
        show_page(URL, opens=True, stack=stack)
        wait_for(lambda: opened, "the browser")
        path = Path(urlparse(opened[0]).path)
        assert ("file", 0o600) == (urlparse(opened[0]).scheme, stat.S_IMODE(path.stat().st_mode))
        assert "TOKEN" not in opened[0]
        assert f"url={URL}" in path.read_text("utf-8")
    assert not path.exists()


@pytest.mark.parametrize(
    ("display", "is_terminal", "opens"), [(":0", True, True), (":0", False, False), ("", True, False)]
)
def test_by_itself_it_opens_on_a_desktops_terminal(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, display: str, *, is_terminal: bool, opens: bool
) -> None:
    """Neither where nobody sits nor where its output is read by a program."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    with ExitStack() as stack:
        show_page(URL, opens=None, stack=stack)
        if opens:
            wait_for(lambda: opened, "the browser")
    assert opens == bool(opened)


def test_a_folder_that_cannot_be_written_opens_nothing(opened: list[str], tmp_path: Path) -> None:
    """The address is printed anyway."""
    (tmp_path / "running").write_text("a file where the folder should be")
    with ExitStack() as stack:
        show_page(URL, opens=True, stack=stack)
    assert [] == opened


def test_a_host_that_is_none_of_this_machine_is_told() -> None:
    """With the next step; the jam goes on without a page."""
    warned: list[str] = []
    assert open_door(PageOptions(host="192.0.2.1"), warned.append) is None
    assert ["no page", "--web-port PORT"] == [warned[0][:7], warned[0][-15:]]
