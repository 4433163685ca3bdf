"""The composition root: the one place that builds real objects from options, settings and presets."""
