"""Where the people of SynthPed walk: cameras, painted backgrounds, and what stands in the foreground."""
