"""Files of rows (CSV, TSV, Parquet) of any shape, read through a versioned YAML mapping."""
