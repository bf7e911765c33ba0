"""Words: the catalogue of translations, and names that people nearly wrote."""
