"""Kinds that ask a platform or a service of somebody else's."""
