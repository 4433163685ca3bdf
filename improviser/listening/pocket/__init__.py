"""The player's pocket: microtiming, accents, note lengths and swing, learned by place in the bar."""
