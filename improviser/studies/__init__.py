"""Experiments and measurements that are part of this project's development, not of the live program."""
