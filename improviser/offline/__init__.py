"""Runs the engine over written music, faster than real time.

Time is counted in beats here: one second stands for one beat. So what is played lies on the beats of a file, whatever
its tempo map is.
"""

from improviser.offline.compose import compose_song, fragment_key, random_fragment
from improviser.offline.follow import Followed, follow_song
from improviser.offline.part import channel_users
from improviser.offline.render import Wishes, render_song
from improviser.offline.session import with_program

__all__ = [
    "Followed",
    "Wishes",
    "channel_users",
    "compose_song",
    "follow_song",
    "fragment_key",
    "random_fragment",
    "render_song",
    "with_program",
]
