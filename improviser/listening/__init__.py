"""Listening: the note window, the beat, key and chord, and the observation made from them."""
