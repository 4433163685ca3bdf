"""Reads, checks and writes the files that people edit: presets, devices and settings."""
