"""BigCommerce: hooks that only name an order, and the order as we read it from the store's API."""
