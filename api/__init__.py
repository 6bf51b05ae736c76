"""The API: HTTP in front of the core, one file per resource."""
