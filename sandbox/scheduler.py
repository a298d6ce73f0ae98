"""Airflow's scheduler with what tasks import imported already: LocalExecutor forks their processes from it.

Great Expectations alone takes two seconds of CPU to import, in each task that judges a gate.

python -m sandbox.scheduler
"""

from __future__ import annotations

import importlib
import logging
import sys

# Other people's code alone: a change of ours takes effect with the next task.
HEAVY = ("boto3", "great_expectations", "pandas", "psycopg", "sqlalchemy")


def main() -> None:
    """Become ``airflow scheduler``."""
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # hundreds of lines about its own functions
    for name in HEAVY:
        importlib.import_module(name)
    from airflow.__main__ import main as airflow

    sys.argv = ["airflow", "scheduler"]
    airflow()


if __name__ == "__main__":
    main()
