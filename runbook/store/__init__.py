"""What happened: events, chain, samples, leases, and what is derived from them."""
