"""What the publisher offers: courses, modules, products, forms, campaigns, surveys, conferences. Not people.

Everything here depends on the anchor date only, so course and module numbers are stable whatever the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from sandbox.publisher.rows import Rows
from sandbox.publisher.words import FORMATS, TOPICS

COURSES = 60
ONE_HOSPITAL_COURSE = 12  # only people of one institution take it: a count of colleagues is not anonymous
ONE_HOSPITAL = 3  # the institution's position in words.INSTITUTIONS
CANARY_COURSE = COURSES  # planted people take it only when their plant says so
PRODUCTS = 14
CAMPAIGNS = 12
SURVEYS = 2
CONFERENCES = 5
EXHIBITORS = 8
YOUTH_LIST = "adolescent-ambassadors"  # a partner's list whose members are said to be young


@dataclass(frozen=True)
class Catalogue:
    """Modules by course, and how popular each course is (a heavy tail: course 1 leads)."""

    course_shares: npt.NDArray[np.float64]
    first_module: npt.NDArray[np.int64]  # by course (position = course id)
    modules: npt.NDArray[np.int64]  # how many, by course


def make_catalogue() -> Catalogue:
    ids = np.arange(1, COURSES + 1)
    weights = np.concatenate([[0.0], 1 / ids**1.05])
    modules = np.concatenate([[0], 2 + (ids * 7) % 5])
    first = np.concatenate([[1], 1 + np.cumsum(modules)[:-1]])
    return Catalogue(weights / weights.sum(), first, modules)


def course_code(course: int) -> str:
    return f"C{course:03d}"


def write_catalogue(rows: Rows, catalogue: Catalogue, anchor: date) -> None:
    """Rows of every table that holds no person."""
    start = anchor - timedelta(days=15 * 365)
    for version in (1, 2, 3):
        rows.add(
            "consent.form_version",
            id=version,
            form="registration",
            version=version,
            field_list={"fields": "email name country date_of_birth"},
            notice_text_hash=f"{version:064x}",
            policy_version_id="2018-05-15",
            live_from=start + timedelta(days=1500 * (version - 1)),
            live_to=None if version == 3 else start + timedelta(days=1500 * version),
        )
    for course in range(1, COURSES + 1):
        topic = TOPICS[course % len(TOPICS)]
        shared = {
            "topic": topic,
            "accreditation_body": ("RCP", "EACCME", None)[course % 3],
            "live_from": start,
            "live_to": None,
        }
        title = f"{topic} {FORMATS[course % len(FORMATS)]}"
        rows.add("learn.course", id=course, code=course_code(course), title=title, **shared)
        for k in range(int(catalogue.modules[course])):
            rows.add(
                "learn.module",
                id=int(catalogue.first_module[course]) + k,
                course_id=course,
                code=f"{course_code(course)}-M{k + 1}",
                title=f"{title}, part {k + 1}",
                **shared,
            )
    for product in range(1, PRODUCTS + 1):
        title = f"{TOPICS[product % len(TOPICS)]} {'bulletin' if product % 2 else 'handbook'}"
        rows.add("commerce.product", id=product, sku=f"SKU-{product:03d}", title=title)
    for campaign in range(1, CAMPAIGNS + 1):
        rows.add(
            "crm.campaign",
            id=campaign,
            campaign=f"issue-{campaign:02d}",
            type="SERVICE" if campaign % 4 == 0 else "MARKETING",
            created_at=anchor - timedelta(days=28 * campaign),
        )
    for survey in range(1, SURVEYS + 1):
        rows.add(
            "feedback.survey",
            id=survey,
            title=("About you and our courses", "After the conference")[survey - 1],
            questions={"age": "number", "age_band": "choice", "school_year": "choice", "text": "free"},
            live_from=start,
            live_to=None,
        )
    for conference in range(1, CONFERENCES + 1):
        starts = anchor - timedelta(days=150 * (conference - 1) - 60)  # the first one is still to come
        city, country = (
            ("London", "GB"), ("Madrid", "ES"), ("Cape Town", "ZA"), ("Lisbon", "PT"), ("Glasgow", "GB"),
        )[conference - 1]  # fmt: skip
        rows.add(
            "events.conference",
            id=conference,
            title=f"Congress on HIV and hepatitis {starts.year}/{conference}",
            city=city,
            country=country,
            starts_on=starts,
            ends_on=starts + timedelta(days=3),
        )
    for exhibitor in range(1, EXHIBITORS + 1):
        country = ("US", "GB", "DE", "IN")[exhibitor % 4]
        rows.add("events.exhibitor", id=exhibitor, name=f"Exhibitor {exhibitor} Ltd", country=country)
