"""The command line with addresses and keys from Airflow's secrets backend instead of the environment.

python -m privacy_ops.airflow_support.command ledger verify
"""

from __future__ import annotations

import os
import sys

from privacy_ops.airflow_support.settings import command_environment


def main() -> int:
    """The same as ``python -m privacy_ops``; what is fetched stays in this process and appears in no argument."""
    from privacy_ops.cli import main as command_line

    os.environ.update(command_environment())
    return command_line()


if __name__ == "__main__":
    sys.exit(main())
