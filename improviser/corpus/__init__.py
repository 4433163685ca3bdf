"""Written music as pieces for training: read, grouped, cached."""
