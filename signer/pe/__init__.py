"""PE images: layout, digests, certificate table, embedding."""
