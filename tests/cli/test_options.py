"""`jam` and `demo` have the same options."""

from __future__ import annotations

import inspect

from improviser.cli.demo import demo
from improviser.cli.jam import jam

# Options for choosing instruments, which a demo does not listen to, and options that go against the tune.
NOT_OF_A_DEMO = {"in_", "not_in", "listen_channel", "from_", "to", "meter", "chart", "count_in"}


def test_a_demo_has_the_options_of_a_jam() -> None:
    """A demo has a jam's options with the same name, range and help, except those for inputs, and also a tune."""
    jams, demos = (inspect.signature(command).parameters for command in (jam, demo))
    assert set(jams) - NOT_OF_A_DEMO | {"tune"} == set(demos)
    assert NOT_OF_A_DEMO <= set(jams)
    shared = set(jams) & set(demos)
    assert {name: jams[name].annotation for name in shared} == {name: demos[name].annotation for name in shared}
