"""The warehouse: dbt's models as assets, its tests as checks."""
