"""Whole camera videos of SynthPed: several people at once, seen by several cameras over one clock."""
