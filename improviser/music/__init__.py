"""Music theory, pure: pitch, scale, chord, meter, consonance."""
