"""What the beat tracker learns from: pieces with known beats, played as people play."""
