"""From the bytes on the inputs to the messages that count."""
