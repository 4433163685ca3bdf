"""The parts of the beat tracker: features of the onsets, network, bar pointer, meter."""
