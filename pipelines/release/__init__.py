"""Quarterly releases of a national body: what is published, and in which forms."""
