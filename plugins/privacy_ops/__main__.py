"""``python -m privacy_ops``."""

from privacy_ops.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
