"""Heard: the note window, the beat, key and chord, and the observation made of them."""
