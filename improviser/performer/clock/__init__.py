"""Decides which clock the performance follows, and sends the beat to others."""
