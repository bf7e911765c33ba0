"""Files in: what arrives, what is read of it, what is kept."""
