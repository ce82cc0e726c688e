"""The entry point."""

from runbook.cli.boundary import run

__all__ = ["run"]

if __name__ == "__main__":
    run()
