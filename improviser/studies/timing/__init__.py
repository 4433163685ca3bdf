"""How exactly notes leave, as another client of a JACK server hears them, beside a reference in C.

`trial` runs a jam, the reference and the witness on a server of its own, with work beside them; `judge` makes
figures of what the witness has heard.
"""
