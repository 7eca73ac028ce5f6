"""What a test measures: distances, ranks, protocols, intervals, actions."""
