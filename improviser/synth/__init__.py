"""Sound from a FluidSynth beside the jam."""
