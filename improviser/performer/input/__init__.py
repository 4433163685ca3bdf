"""Turns the bytes on the inputs into the messages for the engine."""
