"""When the page is opened, and at which address."""

from __future__ import annotations

import socket
import stat
import sys
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlparse

import pytest

from improviser.app.jam_page import PageOptions, open_page_socket, show_page
from improviser.web import address
from tests.free_port import free_port
from tests.live import wait_for

URL = "http://127.0.0.1:8765/TOKEN/"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The files that are passed to the browser."""
    given: list[str] = []
    monkeypatch.setattr(webbrowser, "open", given.append)
    monkeypatch.setenv("IMPROVISER_STATE_DIR", str(tmp_path))
    return given


def test_the_browser_is_given_a_file_of_the_users_own(opened: list[str]) -> None:
    """The browser gets a private file that leads to the page, so that the token is on no command line."""
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
    """The page opens by itself only on a desktop whose terminal shows the output."""
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
    """Where the file cannot be written, no browser is opened."""
    (tmp_path / "running").write_text("a file where the folder should be")
    with ExitStack() as stack:
        show_page(URL, opens=True, stack=stack)
    assert [] == opened


def doors_of(*options: PageOptions) -> list[str]:
    """Return the address of a page that is opened and closed, for each of the options."""
    urls = []
    for each in options:
        page_socket = open_page_socket(each, pytest.fail)
        assert page_socket is not None
        page_socket.listening.close()
        urls.append(page_socket.address.url)
    return urls


def test_an_address_is_kept(opened: list[str], tmp_path: Path) -> None:
    """A kept address stays the same between jams, in a file that only the user can read; otherwise it is new."""
    assert [] == opened
    port = free_port()
    first, again, other = doors_of(
        PageOptions(port=port, keeps=True), PageOptions(port=port, keeps=True), PageOptions(port=port)
    )
    assert first == again != other
    path = tmp_path / "page-token"
    assert (0o600, first.split("/")[3]) == (
        stat.S_IMODE(path.stat().st_mode),
        path.read_text("utf-8").strip(),
    )
    path.write_text("short")
    (fresh,) = doors_of(PageOptions(port=port, keeps=True))
    assert len(first) == len(fresh)
    assert first != fresh


def test_the_settings_keep_it_too(opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user settings can keep the address and set the port; an option overrides them."""
    assert [] == opened
    port = free_port()
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "settings.toml").write_text(f"web_keep_address = true\nweb_port = {port}\n")
    first, again, other = doors_of(PageOptions(), PageOptions(), PageOptions(keeps=False))
    assert first == again != other
    assert f":{port}/" in first


def test_where_it_cannot_be_kept_that_is_told(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the token or the port cannot be kept, a warning says so and the page gets another address."""
    assert [] == opened
    warned: list[str] = []
    (tmp_path / "page-token").mkdir()
    page_socket = open_page_socket(PageOptions(port=free_port(), keeps=True), warned.append)
    assert page_socket is not None
    page_socket.listening.close()
    (tmp_path / "page-token").rmdir()
    monkeypatch.setattr(address, "DEFAULT_PORT", free_port())
    with socket.create_server(("127.0.0.1", address.DEFAULT_PORT)):
        elsewhere = open_page_socket(PageOptions(keeps=True), warned.append)
        assert elsewhere is not None
        elsewhere.listening.close()
    not_kept, moved = warned
    assert "cannot save the page's address" in not_kept
    assert "is taken, so the page has another address than before" in moved


def test_a_host_that_is_none_of_this_machine_is_told() -> None:
    """An address of another machine is reported with the next step, and there is no page."""
    warned: list[str] = []
    assert open_page_socket(PageOptions(host="192.0.2.1"), warned.append) is None
    assert ["cannot serve the page", "--web-port PORT"] == [warned[0][:21], warned[0][-15:]]
