"""Action and attribute labels: label spaces, label files, counts."""
