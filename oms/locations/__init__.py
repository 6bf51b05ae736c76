"""Places that hold stock or hand it over: distribution centers, stores, pick-up points."""
