"""What tools/torture.py does to each door."""
