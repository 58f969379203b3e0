"""A batch from landed to queued in one transaction; what arrives late or is corrected is matched again."""
