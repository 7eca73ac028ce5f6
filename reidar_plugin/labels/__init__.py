"""What people do and how they look: label spaces, label files, counts."""
