"""Stripe Checkout and Billing: signatures, events, invoices and sessions as orders."""
