"""Questions to the published marts, and the files their answers are written to."""
