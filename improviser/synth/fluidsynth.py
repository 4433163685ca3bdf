"""Produces sound without another program's help: `fluidsynth` plays the improviser's virtual output."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from improviser.ports.name import own_ports
from improviser.protocol import Changed, Notice, Ready, Warned
from improviser.synth.soundfont import (
    INSTEAD,
    find_program,
    find_soundfont,
    gain_of,
    how_to_install,
    missing,
)
from improviser.synth.synth_connection import connecting, drivers, is_connected_anew
from improviser.synth.synth_process import SynthProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from improviser.protocol import Event, PerformerSettings

# Reading a soundfont of 140 MB from a slow disk takes this long.
_PORT_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.05
# The port of a synthesizer that was connected before is there at once, unless its server was restarted.
_AGAIN_S: Final = 0.5
# Longer than ending the synthesizer takes in the worst case.
_CLOSE_S: Final = 5.0


class Fluidsynth:
    """Starts fluidsynth when the performer is ready, connects it, and ends it with the jam.

    The module `synth.synth_connection` says what it is connected with.

    Threads: A thread of this class runs from the first Ready event on, and calls `insert`. The thread that reads
    fluidsynth's output calls `insert` too. One thread calls `follow`, which never waits. Any thread may call `close`,
    which waits until the synthesizer has ended, but at most 5 s.
    """

    def __init__(self, insert: Callable[[Event], None], settings: PerformerSettings | None = None) -> None:
        """Report through `insert`. `settings.program` is the program to select at the start."""
        self._insert = insert
        self._program = None if settings is None else settings.program
        self._channel = 0 if settings is None else int(settings.engine.get("channel", 0))
        self._readies: queue.SimpleQueue[Ready | None] = queue.SimpleQueue()
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: SynthProcess | None = None
        self._number = 0

    @property
    def _client(self) -> str:
        """The synthesizer's name in the MIDI system, which is different for each one that is started."""
        return f"fluidsynth-{os.getpid()}-{self._number}"

    def __enter__(self) -> Self:
        """Return the object, which waits for the performer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the synthesizer."""
        self.close()

    def follow(self, event: Event) -> None:
        """Process an event of the jam. Each time that a performer is ready, connect it to the synthesizer."""
        if isinstance(event, Changed):
            self._program = event.program
        if not isinstance(event, Ready) or self._is_closed.is_set():
            return
        self._readies.put(event)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fluidsynth", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the synthesizer, first by its own command. A second call does nothing."""
        self._is_closed.set()
        self._readies.put(None)
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _work(self) -> None:
        """Connect each performer to the synthesizer until the jam ends, then end the synthesizer."""
        try:
            while (ready := self._readies.get()) is not None and not self._is_closed.is_set():
                fault = _fault(ready)
                if fault:
                    self._insert(Warned(fault))
                else:
                    self._sound(ready)
        finally:
            self._end()

    def _sound(self, ready: Ready) -> None:
        """Connect a performer to the synthesizer that runs, or to a new one."""
        if self._process is not None and self._process.is_running and self._reconnected(ready):
            return
        self._end()
        soundfont = find_soundfont()
        program = find_program()
        if program is None or soundfont is None:
            return
        self._number += 1
        gain = str(gain_of(soundfont))
        command = [program, *drivers(ready, self._client), "-q", "-g", gain, str(soundfont)]
        try:
            self._process = SynthProcess(command, self._died)
        except OSError as error:
            self._insert(Warned(f"no sound: {program} does not start ({error.strerror}); {INSTEAD}"))
            return
        self._begin(ready, soundfont)

    def _begin(self, ready: Ready, soundfont: Path) -> None:
        """Wait until the new synthesizer is connected, and report it."""
        is_connected = self._connected(ready, self._client, _PORT_S)
        if self._is_closed.is_set() or self._process is None or not self._process.is_running:
            return
        if self._program is not None:  # the performer may have sent it before the synthesizer was connected
            self._process.send_command(f"prog {self._channel} {self._program}")
        if is_connected:
            self._insert(Notice(f"fluidsynth sounds with {soundfont.name}"))
        else:
            self._insert(Warned(f"fluidsynth is not connected: connect '{own_ports(ready.jam)[1]}' to it; {INSTEAD}"))

    def _reconnected(self, ready: Ready) -> bool:
        """Connect the synthesizer that runs to a new performer. Return whether that worked; if not, start a new one."""
        return is_connected_anew(ready) and self._connected(ready, self._client, _AGAIN_S)

    def _connected(self, ready: Ready, client: str, patience_s: float) -> bool:
        """Connect the synthesizer called `client`. Return whether that worked within `patience_s` seconds."""
        until_s = time.monotonic() + patience_s
        with connecting(ready) as connect:
            while self._process is not None and self._process.is_running and not self._is_closed.is_set():
                if connect(client):
                    return True
                if time.monotonic() > until_s:
                    return False
                self._is_closed.wait(_LOOK_EVERY_S)
        return False

    def _died(self, words: str) -> None:
        """Report that the synthesizer has ended by itself. The thread that reads its output calls this."""
        if not self._is_closed.is_set():
            self._insert(Warned(f"fluidsynth has ended ({words}); the music goes on without its sound"))

    def _end(self) -> None:
        """End the synthesizer if one runs."""
        process, self._process = self._process, None
        if process is not None:
            process.end()


def _fault(ready: Ready) -> str:
    """Return why a performer cannot get sound, or an empty text if it can."""
    if ready.backend == "loopback":
        return f"no sound: there is no MIDI system to reach fluidsynth through; {INSTEAD}"
    if not ready.is_virtual:
        return f"no sound of our own: '{ready.sends_on}' is played on; leave --out away to let fluidsynth sound"
    lacks = missing()
    return f"no sound: {lacks}; {how_to_install()}; {INSTEAD}" if lacks else ""
