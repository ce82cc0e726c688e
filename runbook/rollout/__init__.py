"""Position, ladder, plan, ramp, rollback, bake, emergency, resume."""
