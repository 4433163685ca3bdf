"""Stores a jam as journal and recording, replays it, and forecasts what the improviser will play."""
