"""Training material, the prior and deep Q-learning; the only part that may import torch and music21."""
