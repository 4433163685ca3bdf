"""Between processes: shared memory, and child processes with heartbeat and last words."""
