"""The traps of finding and erasing minors' data, each with the tests that would fail in a system that falls into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

# Trap, and file:test of what proves that we do not fall into it. Plants of the ground truth are named plant:name.
TRAPS: dict[str, tuple[str, ...]] = {
    "age from the scheduler's date: a backfill turns adults into children": (
        "integration/test_concurrency_night.py:test_a_backfill_beside_the_scheduled_night_only_counts",
        "integration/test_publisher.py:test_who_turns_eighteen_tomorrow_is_judged_at_the_runs_as_of",
    ),
    "somebody turns 18 in the queue and the promise is dropped": (
        "integration/test_erasure_safety.py:test_who_turns_eighteen_in_the_queue_is_erased_as_promised",
        "integration/test_minors_detection.py:test_a_second_night_opens_no_second_case_and_keeps_the_discovery",
    ),
    "a placeholder taken for an adult, or a form's default for a new-born": (
        "unit/test_classify.py:test_a_placeholder_beside_a_minor_date_does_not_make_an_adult",
        "plant:placeholder_1900",
        "plant:dob_is_registration_date",
        "plant:doctor_with_typo",
        "plant:frequent_first_january",
    ),
    "leap days, time zones, centuries, swapped days, 1904, other calendars": (
        "unit/test_age.py:test_ages_of_the_oracle",
        "unit/test_readings.py:test_a_leap_day_of_a_common_year_is_the_day_before_or_after",
        "plant:minor_dob_utc_shift",
        "plant:dob_two_digit_either_century",
        "plant:dob_day_month_spanning",
        "plant:dob_excel_1904_spanning",
        "plant:dob_buddhist_year",
    ),
    "staff with a school's address, states that sound like schools, medical students of 17": (
        "unit/test_signals.py:test_school_domains_and_what_only_looks_like_one",
        "plant:school_staff",
        "plant:state_that_sounds_like_a_school",
        "plant:medical_student",
        "plant:minor_studies_medicine",
    ),
    "clinical text full of children's ages, years of experience": (
        "plant:patient_aged_15",
        "plant:sixteen_years_experience",
        "plant:sixteen_years_experience_es",
        "plant:sixteen_years_experience_fr",
        "plant:sixteen_years_experience_de",
        "plant:cohort_aged_12_to_17",
    ),
    "an age guessed from a name, a picture or behaviour": (
        "unit/test_signals.py:test_no_age_is_read_from_names_pictures_or_behaviour",
        "integration/test_minors_signals.py:test_detection_may_read_no_name_and_no_picture",
    ),
    "erasing while an access request is open": (
        "integration/test_erasure_plan.py:test_a_held_minor_stays_restricted_and_out_of_the_plan",
        "plant:minor_access_request",
        "plant:minor_unverified_request",
    ),
    "suppression written too late, lost with a key, or for ever": (
        "integration/test_erasure_safety.py"
        ":test_the_suppression_list_and_intent_are_in_the_locked_bucket_before_anything_goes",
        "unit/test_suppression_expiry.py:test_it_ends_with_the_quarter_of_the_eighteenth_birthday",
        "integration/test_suppression_import.py:test_the_same_person_signs_up_at_eighteen",
    ),
    "a ledger that names people": (
        "integration/test_erasure_night.py:test_the_certificate_is_signed_and_nothing_of_the_person_is_left_with_us",
    ),
    "delete markers, neighbours by prefix, shared files, restores": (
        "integration/test_erasure_plan.py:test_every_version_and_marker_of_the_exact_key_goes_and_the_neighbour_stays",
        "integration/test_erasure_objects.py:test_a_neighbour_by_prefix_is_never_touched",
        "integration/test_erasure_restore.py:test_a_restored_backup_is_replayed_and_only_then_ready",
        "integration/test_minors_publisher_night.py:test_a_night_erases_exactly_whom_the_oracle_names",
    ),
    "the orchestrator's own traces as the last copy": (
        "dags/test_whole_runs.py:test_airflow_remembers_no_person",
        "integration/test_erasure_safety.py:test_nobody_stands_in_logs_results_or_refusals",
    ),
    "a breaker that stops restricting, a broken feed that locks adults": (
        "integration/test_erasure_safety.py:test_a_tripped_breaker_waits_for_two_different_people",
        "integration/test_minors_signals.py"
        ":test_people_of_a_faulty_feed_are_out_of_use_and_not_locked_until_it_is_sound_again",
        "integration/test_minors_faulty_feed.py:test_a_feed_bug_makes_two_fifths_of_all_accounts_look_like_minors",
    ),
    "a date of birth that was changed, or corrected by support": (
        "plant:dob_changed_adult_to_minor",
        "plant:dob_changed_minor_to_adult",
        "plant:dob_corrected_by_support",
        "plant:gate_refused_then_passed",
    ),
    "a child who is a row, taken for the account it hangs on": (
        "integration/test_minors_detection.py:test_a_child_on_a_parents_account_is_the_row_and_never_the_account",
        "plant:parent_with_child",
        "plant:guardian_on_file",
        "plant:dataset_with_children",
    ),
    "a mailbox, an order or a guardian that a minor shares": (
        "integration/test_erasure_plan.py:test_a_mailbox_that_somebody_else_uses_is_not_the_minors",
        "integration/test_erasure_families.py:test_a_role_mailbox_is_nobodys",
        "integration/test_erasure_families.py:test_a_guardian_goes_with_the_child_and_keeps_what_is_their_own",
        "integration/test_erasure_families.py:test_a_childs_own_address_that_is_the_parents_leaves_the_parents_rows",
        "integration/test_erasure_families.py:test_a_parents_order_for_a_child_stays_without_the_child",
    ),
    "an object that nobody can read, passed over": (
        "integration/test_unreadable_objects.py"
        ":test_an_object_that_is_cut_short_stops_the_certificate_and_the_later_sweep",
    ),
    "a kill in the middle, a store that fails, a late event": (
        "integration/test_crash_night.py:test_a_night_that_is_killed_again_and_again_ends_as_if_nothing_had_happened",
        "integration/test_crash_stores.py:test_a_database_that_is_killed_during_the_delete",
        "integration/test_erasure_restore.py"
        ":test_a_replay_that_is_killed_at_any_step_goes_on_and_is_ready_only_when_nobody_is_left",
        "integration/test_crash_stores.py:test_a_bad_line_to_the_object_store",
        "integration/test_concurrency_night.py"
        ":test_an_event_of_the_minor_that_arrives_during_the_erasure_stops_it_and_goes_with_the_next",
        "integration/test_concurrency_night.py"
        ":test_a_date_of_birth_that_is_corrected_during_the_erasure_saves_the_person",
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_has_tests_that_exist(trap: str) -> None:
    from sandbox.publisher.plants import PLANTS

    plants = {plant.name for plant in PLANTS}
    for proof in TRAPS[trap]:
        place, _, name = proof.partition(":")
        if place == "plant":
            assert name in plants, proof
        else:
            source = (TESTS / place).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", source, re.MULTILINE), proof
