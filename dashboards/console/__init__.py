"""One page of the console in each file: what people do, over the API, under their own name."""
