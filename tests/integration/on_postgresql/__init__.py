"""The store's own tests once more, on a real PostgreSQL."""
