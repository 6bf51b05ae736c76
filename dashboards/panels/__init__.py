"""Parts of the console's pages."""
