"""A JACK client that records the improviser's note-ons with the transport's frame in which each one came."""

from __future__ import annotations

from typing import Any

import jack

from improviser.ports.jack_transport import STARTING, STOPPED


class TransportListener:
    """Listens to the improviser's output.

    Attributes:
        ons: The transport's frame of each note-on that came while the transport rolled.
        stopped: How many note-ons came while it did not roll.
        origin: The server's frame at which the transport's frame 0 was or would have been, where it rolls now.
    """

    def __init__(self) -> None:
        """Join the server."""
        self.ons: list[int] = []
        self.stopped = 0
        self.origin = 0
        self.client = jack.Client("Test Grid", no_start_server=True)
        self._port: Any = self.client.midi_inports.register("in")
        self.client.set_process_callback(self._process)
        self.client.activate()

    def listen(self) -> None:
        """Connect to the port that the improviser plays on."""
        (source,) = self.client.get_ports("Improviser Out", is_output=True)
        self.client.connect(source, self._port)

    def close(self) -> None:
        """Leave the server."""
        self.client.deactivate()
        self.client.close()

    def _process(self, _frames: int) -> None:
        """Record the note-ons of a period."""
        state, position = self.client.transport_query_struct()
        frame, is_rolling = position.frame, STOPPED < state < STARTING
        if is_rolling:
            self.origin = self.client.last_frame_time - frame
        for offset, data in self._port.incoming_midi_events():
            event = bytes(data)
            if event[0] >> 4 == 0x9 and event[2]:
                if is_rolling:
                    self.ons.append(frame + offset)
                else:
                    self.stopped += 1
