"""Played: actions, phrases and the scheduler, the only thing that emits."""
