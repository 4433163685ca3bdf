"""What is kept of a jam: journal, recording, replay; and a replay of what may come, the forecast."""
