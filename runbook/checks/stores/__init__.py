"""Kinds that ask a database or a store."""
