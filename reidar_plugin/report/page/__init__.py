"""Reports as one HTML file each: they open from disk, in any browser, and ask nothing of the network."""
