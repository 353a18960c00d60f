"""One service of half an hour, one staff member who works every day from 9 to 19, four appointments a day taken."""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta

import django

TAKEN = (time(10), time(11, 30), time(14), time(16, 30))


def seed(day: date) -> None:
    """Fill the migrated database; on `day` sixteen of twenty times are left."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peer.settings")
    django.setup()
    from appointment.models import (  # noqa: PLC0415 (needs the settings)
        Appointment,
        AppointmentRequest,
        Config,
        Service,
        StaffMember,
        WorkingHours,
    )
    from django.contrib.auth.models import User  # noqa: PLC0415 (as above)
    from django.core.management import call_command  # noqa: PLC0415 (as above)

    call_command("migrate", run_syncdb=True, verbosity=0)
    half_an_hour = timedelta(minutes=30)
    Config.objects.create(slot_duration=30, lead_time=time(9), finish_time=time(19))
    service = Service.objects.create(name="Haircut", duration=half_an_hour, price=45)
    staff = StaffMember.objects.create(user=User.objects.create_user("sam", first_name="Sam"), slot_duration=30)
    staff.services_offered.add(service)
    for weekday in range(7):
        WorkingHours.objects.create(staff_member=staff, day_of_week=weekday, start_time=time(9), end_time=time(19))
    for number, start in enumerate(TAKEN):
        end = (datetime.combine(day, start) + half_an_hour).time()
        request = AppointmentRequest.objects.create(
            date=day, start_time=start, end_time=end, service=service, staff_member=staff
        )
        client = User.objects.create_user(f"client{number}", email=f"client{number}@example.com")
        Appointment.objects.create(client=client, appointment_request=request)


if __name__ == "__main__":
    import sys

    seed(date.fromisoformat(sys.argv[1]))
