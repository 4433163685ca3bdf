"""The page on which a musician plays, hears, sees and steers a jam, and the server for it.

    connection_limit -> auth (host, token, origin, headers) -> server (paths) -> page_session (websocket)

`broadcaster` sends all pages what happens. `page` runs the server in a thread beside the jam, at an `address`.
`static` holds the page itself: plain JavaScript modules, served without a build step.
"""
