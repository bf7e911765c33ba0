"""From a delivered file to raw frames: everything as text, nothing guessed."""
