"""Playing: actions, phrases and the scheduler, which alone emits messages."""
