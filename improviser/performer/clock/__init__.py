"""Whose beat is followed, and the beat that others are given."""
