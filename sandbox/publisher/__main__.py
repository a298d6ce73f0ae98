"""``python -m sandbox.publisher --dsn … --truth-dsn …``: create and fill the synthetic publisher."""

from __future__ import annotations

import argparse
import os
import time
from datetime import date

from privacy_ops.settings import ObjectSettings
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from sandbox.publisher.generate import EVENTS_PER_PERSON, load
from sandbox.publisher.objects import create_buckets
from sandbox.publisher.schema import create_schema, today_in_london
from sandbox.publisher.truth import create_truth


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.publisher", description=__doc__)
    parser.add_argument("--dsn", required=True, help="superuser address of an empty database")
    parser.add_argument("--truth-dsn", required=True, help="superuser address of an empty database for the truth")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--events-per-person", type=float, default=EVENTS_PER_PERSON)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--anchor", type=date.fromisoformat, default=None, help="default: today in London")
    parser.add_argument("--s3-endpoint", default=os.environ.get("PRIVACY_OPS_S3_ENDPOINT"))
    parser.add_argument("--schema-exists", action="store_true", help="do not create schema, truth and buckets")
    given = parser.parse_args()
    objects = None
    if given.s3_endpoint:
        objects = ObjectSettings(
            endpoint_url=given.s3_endpoint,
            access_key=os.environ.get("PRIVACY_OPS_S3_ACCESS_KEY", "sandbox"),
            secret_key=os.environ.get("PRIVACY_OPS_S3_SECRET_KEY", "sandbox"),
        )
    started = time.monotonic()
    if not given.schema_exists:
        create_schema(given.dsn)
        create_truth(given.truth_dsn)
        if objects:
            create_buckets(objects)
    with Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()) as progress:
        task = progress.add_task("people", total=given.people)
        counts = load(
            given.dsn,
            given.truth_dsn,
            objects,
            people=given.people,
            seed=given.seed,
            anchor=given.anchor or today_in_london(),
            events_per_person=given.events_per_person,
            report=lambda done, _: progress.update(task, completed=done),
        )
    figures = ", ".join(f"{value:,} {name}" for name, value in counts.items())
    print(f"{figures} in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
