"""Driver catalogs from INF packages: what Inf2Cat and MakeCat write, off Windows."""
