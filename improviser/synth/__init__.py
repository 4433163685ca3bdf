"""Starts FluidSynth beside a jam and gives the improviser its sound."""
