"""The database's history: one file a step, never changed after a release."""
