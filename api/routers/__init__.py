"""One file per resource: a route parses, calls one operation, wraps the answer."""
