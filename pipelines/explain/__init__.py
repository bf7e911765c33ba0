"""How one published figure came about, sum by sum."""
