"""Every kind that reads from a network, against everything that the other side may do."""
