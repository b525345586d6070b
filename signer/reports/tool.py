"""The name of this program, for reports that say what made them."""

from __future__ import annotations

NAME = "drvsign"
