"""Training: material from the corpus, the prior and deep Q-learning. May import torch; no live process loads it."""
