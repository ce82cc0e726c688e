"""Kinds that come from packages of others, kept apart from the rest."""
