"""Notes: what people remark on orders, their parts and customers, for whom it is meant."""
