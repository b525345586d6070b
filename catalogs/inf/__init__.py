"""Parse INF files: text, sections, models, and the files that they copy."""
