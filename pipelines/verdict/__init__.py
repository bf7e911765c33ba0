"""What the sender of a return gets back: problems, report, headline figures, the marked copy."""
