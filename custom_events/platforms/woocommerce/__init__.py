"""WooCommerce and its subscriptions: signatures, topics, bodies and what they are understood as."""
