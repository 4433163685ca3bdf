"""The built-in player, which plays if there is no keyboard."""
