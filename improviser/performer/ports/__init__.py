"""The performer's ports: opened, watched, connected and reconnected."""
