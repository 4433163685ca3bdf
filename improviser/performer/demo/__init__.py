"""The built-in player, for when there is no keyboard."""
