"""Decide: the Q-network, how it acts and how it learns; knows no music."""
