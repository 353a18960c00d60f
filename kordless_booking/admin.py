"""Registers the operator's pages with Django's admin, which imports this module. Other sites never load it."""

from __future__ import annotations

from django.contrib import admin

from kordless_booking.models import BookingAttempt, ConsentProof, FunnelCount, OutgoingMail, Overview, WebhookDelivery
from kordless_booking.staff.attempts import AttemptAdmin
from kordless_booking.staff.consent import ConsentAdmin
from kordless_booking.staff.deliveries import DeliveryAdmin
from kordless_booking.staff.funnel_page import FunnelAdmin
from kordless_booking.staff.mails import MailAdmin
from kordless_booking.staff.overview_page import OverviewAdmin

admin.site.register(Overview, OverviewAdmin)
admin.site.register(FunnelCount, FunnelAdmin)
admin.site.register(BookingAttempt, AttemptAdmin)
admin.site.register(OutgoingMail, MailAdmin)
admin.site.register(WebhookDelivery, DeliveryAdmin)
admin.site.register(ConsentProof, ConsentAdmin)
