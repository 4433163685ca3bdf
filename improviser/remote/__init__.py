"""Steering a jam from other programs: the socket of `improviser ctl`, and OSC."""
