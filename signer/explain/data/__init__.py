"""Causes, texts and exports, as package data: each entry with its source."""
