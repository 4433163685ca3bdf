"""Starts, watches and replaces the performer, and keeps the state of a jam."""
