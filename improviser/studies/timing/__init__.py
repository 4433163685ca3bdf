"""How exactly notes are sent, as another client of a JACK server receives them, beside a reference in C.

`run` runs a jam, the reference and the probe on a JACK server of its own, with other load beside them. `analysis`
computes figures from what the probe received.
"""
