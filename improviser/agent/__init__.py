"""Deciding: the Q-network, how it acts and how it learns. This package knows nothing about music."""
