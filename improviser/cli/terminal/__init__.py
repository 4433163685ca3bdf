"""How commands show themselves on a terminal: panels of help, and the view of a jam."""
