"""How well improviser keeps time with people: the beat it finds, late players, feel and swing."""
