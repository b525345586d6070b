"""Submissions to the Hardware Dev Center: made, checked before they are sent, and compared with what came back."""
