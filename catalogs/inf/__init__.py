"""INF files: text to sections, models and files."""
