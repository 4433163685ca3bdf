"""The real-time process: listens, decides on each step of the beat, and plays."""
