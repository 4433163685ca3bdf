"""improviser: a deep Q-network that plays along, live, on a virtual MIDI port."""

__version__ = "0.1.0"
