"""The engine over written music, faster than real time.

Time runs in beats here: a second stands for a beat. So whatever tempo map a file has, what is played lies on
its beats.
"""

from improviser.offline.compose import compose_song, fragment_key, random_fragment
from improviser.offline.part import channel_users
from improviser.offline.render import Wishes, render_song
from improviser.offline.session import with_program

__all__ = [
    "Wishes",
    "channel_users",
    "compose_song",
    "fragment_key",
    "random_fragment",
    "render_song",
    "with_program",
]
