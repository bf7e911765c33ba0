"""What the Dagster UI shows, worked out without Dagster."""
