"""Files of reports brought to a folder, S3-compatible storage, e-mail or a signed webhook; the same again under the same key. No database."""
