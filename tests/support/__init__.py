"""What the tests share: makers of clips and cameras, whole hubs, and ways to wait. No tests in here."""
