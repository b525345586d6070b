"""PE images: layout, digests and page hashes, certificate table, and embedding signatures."""
