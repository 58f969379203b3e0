"""Shopify: signatures, topics, bodies and what they are understood as."""
