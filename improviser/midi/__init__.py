"""MIDI as values: messages and Standard MIDI Files."""
