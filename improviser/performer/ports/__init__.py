"""Opens, watches, connects and reconnects the performer's ports."""
