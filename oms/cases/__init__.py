"""Cases of customer service that are about orders, as other tools keep them."""
