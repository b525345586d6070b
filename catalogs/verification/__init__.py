"""Verify files and driver packages: from paths and a query to assessments."""
