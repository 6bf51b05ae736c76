"""What Dagster knows: assets, checks, sensors and schedules, a folder per area."""
