"""The page on which a jam is played, heard, seen and steered, and what serves it.

    bounded (connections) -> guard (host, token, origin, headers) -> server (paths) -> talk (websocket)

`hub` tells all pages what happens; `page` runs it all in a thread beside the jam, at an `address`. `static`
is the page itself: plain modules, served as they are.
"""
