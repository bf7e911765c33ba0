"""What a sender is told about a return: problems, figures it moves, the marked copy."""
