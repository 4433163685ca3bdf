"""Lets other programs steer a jam: through the socket of `improviser ctl`, and by OSC."""
