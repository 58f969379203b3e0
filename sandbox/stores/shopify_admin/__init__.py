"""Shopify's side of an installed app: OAuth with tokens that expire, and a part of the GraphQL Admin API."""
