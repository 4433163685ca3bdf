"""Reads written music into pieces for training, groups duplicates, and caches the result."""
