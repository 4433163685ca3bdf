"""Learning while the music plays, in a process of its own."""
