"""Pure music theory: pitch, scale, chord, meter, consonance."""
