"""Documents on paper: what turns their contents into files."""
