"""Files that people write: presets, devices and settings, checked as a whole."""
