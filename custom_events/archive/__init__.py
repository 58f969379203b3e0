"""The archive of raw events: weeks as Parquet files with checksums, in a folder or in S3-compatible storage; written, verified, rewritten, restored."""
