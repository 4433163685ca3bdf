"""Hears the harmony behind the notes: chords and key, by a network that is the same for each of the twelve roots."""
