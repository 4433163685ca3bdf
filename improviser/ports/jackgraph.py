"""Who is connected to whom in JACK, which RtMidi does not tell; through the system's libjack.

Source: jack/jack.h (JACK API 1.9.21); JackNoStartServer = 1, JackPortIsOutput = 2.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any, Final

from improviser.errors import PortError
from improviser.ports.name import is_own
from improviser.ports.quiet import quiet_stderr

_NO_START_SERVER: Final = 1
_IS_OUTPUT: Final = 2
_CLIENT: Final = b"Improviser Probe"
_MIDI_TYPE: Final = b"8 bit raw midi"


class JackGraph:
    """A client that only looks. Threads: one thread at a time."""

    def __init__(self, library: Any, client: int) -> None:  # noqa: ANN401 - ctypes has no type for it
        """Look as `client` of `library`."""
        self._library = library
        self._client = client

    def listeners(self, port: str) -> tuple[str, ...] | None:
        """Give the ports that hear the newest source called `port`; None where there is no such source."""
        names = self._library.jack_get_ports(self._client, None, _MIDI_TYPE, _IS_OUTPUT)
        sources = [name for name in self._strings(names) if name.endswith(f":{port}")]
        if not sources:
            return None
        source = self._library.jack_port_by_name(self._client, sources[-1].encode())
        if not source:
            return None
        found = self._library.jack_port_get_all_connections(self._client, source)
        return tuple(name for name in self._strings(found) if not is_own(name))

    def close(self) -> None:
        """Leave the server."""
        with quiet_stderr():
            self._library.jack_client_close(self._client)

    def _strings(self, array: Any) -> list[str]:  # noqa: ANN401 - a char** or NULL
        """Give the strings of a NULL-ended array of libjack, and free it."""
        texts: list[str] = []
        while array and array[len(texts)] is not None:
            texts.append(array[len(texts)].decode(errors="replace"))
        if array:
            self._library.jack_free(array)
        return texts


def open_graph() -> JackGraph:
    """Open a client that looks at the graph. Raises PortError where there is no libjack or no server."""
    path = ctypes.util.find_library("jack")
    if path is None:
        raise PortError("no libjack on this system; install jackd2")
    try:
        library = _declared(ctypes.CDLL(path))
    except (OSError, AttributeError) as error:
        raise PortError(f"libjack cannot be used: {error}") from error
    with quiet_stderr():
        client = library.jack_client_open(_CLIENT, _NO_START_SERVER, None)
    if not client:
        raise PortError("no JACK server answers; start one with: jackd -d dummy")
    return JackGraph(library, client)


def _declared(library: Any) -> Any:  # noqa: ANN401 - as above
    """Give `library` with the types of the functions that are used."""
    strings, pointer = ctypes.POINTER(ctypes.c_char_p), ctypes.c_void_p
    table = {
        "jack_client_open": (pointer, [ctypes.c_char_p, ctypes.c_int, pointer]),
        "jack_client_close": (ctypes.c_int, [pointer]),
        "jack_get_ports": (strings, [pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong]),
        "jack_port_by_name": (pointer, [pointer, ctypes.c_char_p]),
        "jack_port_get_all_connections": (strings, [pointer, pointer]),
        "jack_free": (None, [strings]),
    }
    for name, (result, arguments) in table.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
