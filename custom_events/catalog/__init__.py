"""What is configured: sites, secrets, ads accounts, definitions and assignments; create, change, publish, roll back, with an audit trail."""
