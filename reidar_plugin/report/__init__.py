"""What a test leaves behind: results, tables, pictures."""
