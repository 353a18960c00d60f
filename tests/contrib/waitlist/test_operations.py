"""What operators see of the waitlist: settings, doctor, admin, erasure, export, and what kordless_mail does."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import conf, hooks
from kordless_booking.contrib.waitlist import checks, doctor
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.contrib.waitlist.plugin import register
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import erase_old
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.phone_messages import PHONE
from tests.support.visitor import Visitor
from tests.support.waitlist import HOUR, JANE, join_waitlist, sent_mails, states

pytestmark = pytest.mark.django_db

Booked = dict[datetime, list[str]]


def found() -> dict[str, str]:
    """Return the doctor's findings about the waitlist, by code."""
    return {each.code: each.level.value for each in doctor.examine(conf.get_account(None))}


def test_a_persons_entries_are_exported_and_erased(visitor: Visitor, booked: Booked):
    """By any spelling of the contact; nobody else's. The export has what was entered, without the link's code."""
    join_waitlist(visitor, part="evening")
    join_waitlist(visitor, PHONE)
    output = io.StringIO()
    call_command("kordless_export", "--contact", "JANE@example.com", stdout=output, stderr=io.StringIO())
    [row] = json.loads(output.getvalue())["stored"]["waitlist entries"]
    assert row["entry"] | {"contact": JANE, "part": "evening", "until": "2026-12-01"} == row["entry"]
    assert "code" not in row["entry"]
    output = io.StringIO()
    call_command("kordless_erase", "--contact", "Jane@example.com", stdout=output)
    assert "waitlist entries: 1 deleted" in output.getvalue()
    [left] = WaitlistEntry.objects.all()
    assert left.contact_hash in Person.from_texts([PHONE], frozenset()).hashes


def test_old_entries_can_be_erased_by_age(visitor: Visitor, booked: Booked):
    """With everything else that is older."""
    join_waitlist(visitor)
    later = NOW + timedelta(days=2)
    assert erase_old(later, later)["waitlist entries"].deleted == 1


def test_kordless_mail_sweeps_tells_and_tidies_up(visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller):
    """One cron line does it all."""
    join_waitlist(visitor)
    for number in booked[sorted(booked)[2]]:
        sandbox.set_status(number, "canceled")
    clock.shift(HOUR / 12)
    call_command("kordless_mail", verbosity=0)
    assert [letter.to for letter in sent_mails()] == [[JANE]]
    assert states() == ["notified"]
    clock.shift(timedelta(days=2))
    call_command("kordless_mail", verbosity=0)
    assert states() == []


def test_the_settings_are_checked(waiting: Settings):
    """Both keys are known, and a wrong value is an error with what is right."""
    errors = conf.find_errors({"SANDBOX": True, "WAITLIST": "yes", "WAITLIST_DAYS": 57})
    assert [(error.kind, error.hint) for error in errors] == [
        ("wrong", "True or False."),
        ("wrong", "A whole number of days from 1 to 56."),
    ]
    assert conf.find_errors({"SANDBOX": True, "WAITLIST": False, "WAITLIST_DAYS": 7}) == []


def test_registering_twice_changes_nothing(waiting: Settings):
    """Django may call ready() once more."""
    before = [hooks.template_slots.items(), hooks.setting_rules.items(), hooks.erasure_targets.items()]
    register()
    assert [hooks.template_slots.items(), hooks.setting_rules.items(), hooks.erasure_targets.items()] == before


def test_the_doctor_says_what_the_waitlist_lacks(waiting: Settings, visitor: Visitor, booked: Booked):
    """No way to write, no webhook, no cron job; nothing for an account without a waitlist."""
    assert found() == {"waitlist": "ok"}
    plain = dict(waiting.KORDLESS_BOOKING)
    waiting.KORDLESS_BOOKING = {key: value for key, value in plain.items() if key != "WEBHOOK_SECRETS"}
    assert found() == {"waitlist": "ok", "waitlist_without_webhook": "note"}
    waiting.KORDLESS_BOOKING = plain | {"MAIL": False, "MESSENGER": ""}
    assert found() == {"waitlist_cannot_notify": "fix"}
    waiting.KORDLESS_BOOKING = plain | {"WAITLIST": False}
    assert found() == {}
    waiting.KORDLESS_BOOKING = plain
    join_waitlist(visitor)
    WaitlistEntry.objects.update(expires_at=NOW - timedelta(days=3))
    assert found()["waitlist_not_run"] == "fix"


def test_the_check_says_that_nobody_can_be_notified(waiting: Settings):
    """As the doctor does: without mail and messages no visitor sees the waitlist."""
    assert checks.check_notifying() == []
    plain = dict(waiting.KORDLESS_BOOKING)
    waiting.KORDLESS_BOOKING = plain | {"MAIL": False, "MESSENGER": ""}
    assert [each.id for each in checks.check_notifying()] == ["kordless_waitlist.W001"]
    waiting.KORDLESS_BOOKING = plain | {"MAIL": False, "MESSENGER": "", "WAITLIST": False}
    assert checks.check_notifying() == []
    waiting.KORDLESS_BOOKING = {}
    assert checks.check_notifying() == []


def test_the_admin_shows_who_waits_masked_and_only_with_permission(
    visitor: Visitor, booked: Booked, client: Client, waiting: Settings
):
    """Waiting, notified and expired entries differ; no contact and no hash is on the page."""
    join_waitlist(visitor)
    join_waitlist(visitor, PHONE)
    WaitlistEntry.objects.filter(pk=WaitlistEntry.objects.latest("pk").pk).update(expires_at=NOW - HOUR)
    url = reverse("admin:kordless_waitlist_waitlistentry_changelist")
    staff = User.objects.create_user("staff", is_staff=True)
    client.force_login(staff)
    assert client.get(url).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_waitlistentry"))
    page = client.get(url).content.decode()
    assert "j…@example.com" in page
    assert "Waiting" in page
    assert "Over" in page
    for secret in (JANE, PHONE, *WaitlistEntry.objects.values_list("contact_hash", flat=True)):
        assert secret not in page
    assert client.get(f"{url}?state=notified").status_code == 200
    client.post(url, {"action": "delete_selected", "_selected_action": [row.pk for row in WaitlistEntry.objects.all()]})
    assert WaitlistEntry.objects.count() == 2


def test_the_documented_settings_are_those_that_are_registered(waiting: Settings):
    """The table of docs/waitlist.md has each key with its default, and begins with the accepted values."""
    page = (Path(__file__).parents[3] / "docs" / "waitlist.md").read_text()
    rows = re.findall(r"^\| `(WAITLIST[A-Z_]*)` \| `(.+?)` \| (.+) \|$", page, re.MULTILINE)
    assert [(key, default) for key, default, _meaning in rows] == [
        (key, repr(rule.default)) for key, rule in hooks.setting_rules.items()
    ]
    assert all(
        meaning.startswith(rule.hint)
        for (*_, meaning), (_key, rule) in zip(rows, hooks.setting_rules.items(), strict=True)
    )
