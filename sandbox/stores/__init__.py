"""Stores that send signed traffic: what customers do, and troubles on the way."""
