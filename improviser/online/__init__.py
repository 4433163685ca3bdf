"""Learning during a jam, in a separate process."""
