"""The real-time process: it listens, decides on each step of the beat, and plays."""
