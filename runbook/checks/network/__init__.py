"""Kinds that ask whether something answers on the network, and what it says."""
