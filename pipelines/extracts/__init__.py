"""Extracts that authorities already hold, turned into our return. Nothing is guessed."""
