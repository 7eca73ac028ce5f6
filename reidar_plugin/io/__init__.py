"""Files written whole or not at all, files read without running code, and what a run prints."""
