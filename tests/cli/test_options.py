"""The options of `jam` and `demo` are the same ones."""

from __future__ import annotations

import inspect

from improviser.cli.demo import demo
from improviser.cli.jam import jam

# What chooses between instruments that a demo does not listen to, or is the tune's own.
NOT_OF_A_DEMO = {"in_", "not_in", "listen_channel", "from_", "to", "meter", "count_in"}


def test_a_demo_has_the_options_of_a_jam() -> None:
    """But for those that choose what is listened to, and with its tune; alike in name, range and help."""
    jams, demos = (inspect.signature(command).parameters for command in (jam, demo))
    assert set(jams) - NOT_OF_A_DEMO | {"tune"} == set(demos)
    assert NOT_OF_A_DEMO <= set(jams)
    shared = set(jams) & set(demos)
    assert {name: jams[name].annotation for name in shared} == {name: demos[name].annotation for name in shared}
