"""MIDI messages and Standard MIDI Files as plain values."""
