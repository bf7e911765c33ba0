"""Sections of the internal page, in the order in which the page shows them."""
