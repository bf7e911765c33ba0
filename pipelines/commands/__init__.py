"""The commands of ``adoption``, a module for each group of them."""
