"""Kinds that ask a monitoring system."""
