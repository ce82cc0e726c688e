"""One engine for services to practise on; it imports nothing of the rest."""
