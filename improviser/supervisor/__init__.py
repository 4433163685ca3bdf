"""Starts, watches and replaces the performer, and knows the state of a jam."""
