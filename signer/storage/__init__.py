"""Files on disk: read and mapped, patched, replaced one at a time or several together, recovered after a kill."""
