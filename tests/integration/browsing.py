"""The page of a jam in a real browser, for the tests."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request

from tests.live import Command, Run

PATIENCE_S = 20.0
# Without these flags Chromium contacts hosts of its vendor.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=document-user-activation-required",
)


@dataclass
class Open:
    """A page that is open in the browser.

    Attributes:
        page: Playwright's page.
        url: Address of the page.
        faults: Messages of its console, and requests to other hosts.
    """

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever it is
        """Return a value of the page's object for tests, such as `state.preset`."""
        return self.page.evaluate(f"window.improviser.{expression}")

    def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true on the page.

        The test polls the expression: the page's content security policy forbids what Playwright injects to wait there.
        """
        give_up_s = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(expression):
            assert time.monotonic() < give_up_s, f"waited in vain for: {expression}"
            self.page.wait_for_timeout(20)

    def until_state(self, condition: str) -> None:
        """Wait until `state`, the page's copy of the state, fulfils a condition."""
        self.until(f"(() => {{ const state = window.improviser?.state; return state && ({condition}); }})()")

    def play(self, keys: str, beat_ms: float = 100.0) -> None:
        """Press computer keys one after the other, named by the last letters of their codes."""
        for key in keys:
            self.page.keyboard.down(key)
            self.page.wait_for_timeout(beat_ms * 0.7)
            self.page.keyboard.up(key)
            self.page.wait_for_timeout(beat_ms * 0.3)


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium without a screen."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


def start(run: Run, *arguments: str) -> tuple[Command, str]:
    """Start a jam; return it and the address of its page."""
    jam = run("jam", "--json", "--seed", "3", *arguments)
    url = jam.wait_until_told("page")["url"]
    jam.wait_until_told("ready")
    return jam, url


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Open]:  # noqa: ANN401 - Playwright's
    """Open the page; fail at the end if anything went wrong on it."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
    page = context.new_page()
    one = Open(page, url)
    origin = url[: url.index("/", len("http://"))]

    def asked(request: Request) -> None:
        """Record requests to other hosts."""
        if not request.url.startswith((origin, origin.replace("http", "ws", 1))):
            one.faults.append(f"asked for {request.url}")

    def complained(message: ConsoleMessage) -> None:
        """Record errors and warnings of the console, except those about a jam that has ended."""
        if message.type in {"error", "warning"} and "ERR_CONNECTION_REFUSED" not in message.text:
            one.faults.append(message.text)

    page.on("request", asked)
    page.on("console", complained)
    page.on("pageerror", lambda error: one.faults.append(str(error)))
    page.goto(url)
    one.until("window.improviser?.state")
    yield one
    context.close()
    assert [] == one.faults


def soon(condition: Callable[[], object]) -> bool:
    """Wait until a condition holds; return whether it held within PATIENCE_S."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.02)
    return True
