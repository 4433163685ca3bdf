"""The composition root: the only package that builds objects from options, settings and presets."""
