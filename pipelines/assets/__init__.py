"""What Dagster materialises: one thin file per room."""
