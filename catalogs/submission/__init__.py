"""Submissions to the Hardware Dev Center: build, check, and compare with the returned package."""
