"""Page of the funnel in the admin: a chart, tables and a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kordless_booking.funnel.counters import OTHER_SOURCES, today
from kordless_booking.models import FunnelCount
from kordless_booking.presentation.formatting import month_title
from kordless_booking.staff import funnel
from kordless_booking.staff.funnel import HEIGHT, build_chart
from kordless_booking.staff.labels import placement_label, service_names, stage_label, text_language
from kordless_booking.staff.read_only import ReadOnlyAdmin, has_several_accounts, known_accounts


class FunnelAdmin(ReadOnlyAdmin):
    """Admin whose list page shows sums instead of rows."""

    def get_urls(self) -> list[URLPattern]:
        def guarded(view: Any) -> Any:
            return self.admin_site.admin_view(never_cache(require_safe(view)))

        # Not the inherited URLs: there is no page for a single row.
        return [
            path("", guarded(self.changelist_view), name="kordless_booking_funnelcount_changelist"),
            path("csv/", guarded(self.csv_view), name="kordless_booking_funnelcount_csv"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the page."""
        query = self._query(request)
        days = funnel.counts_by_day(query)
        # A visit has a service only if it began at its times. So for one service the shares begin with its opening.
        stages = [stage for stage in FunnelCount.Stage if stage is not FunnelCount.Stage.VISIT or not query.service]
        totals = _sum_counts(days.values())
        names = service_names(known_accounts().values())
        base, rows, lost = stages[0], funnel.matching_rows(query), funnel.lost_demand(query)
        language = text_language()
        context = {
            **self.admin_site.each_context(request),
            "title": pgettext("heading", "Funnel"),
            "opts": self.opts,
            "filters": query,
            "query": request.GET.urlencode(),
            "periods": funnel.PERIODS,
            "accounts": list(known_accounts()) if has_several_accounts() else [],
            "services": [(slug, names.get(slug, slug)) for slug in funnel.counted_services(query)],
            "placements": [(placement.value, placement_label(placement)) for placement in FunnelCount.Placement],
            "stages": [stage_label(stage) for stage in stages],
            "base": stage_label(base),
            "bars": _bars(totals, stages),
            "chart": build_chart(
                [
                    (_day_label(day, counts, base), counts.get(base, 0), counts.get(FunnelCount.Stage.BOOKED, 0))
                    for day, counts in days.items()
                ]
            ),
            "height": HEIGHT,
            "first": query.first,
            "last": query.today,
            "days": [
                (day, [*_cells(counts, stages), lost.by_day.get(day, 0)]) for day, counts in reversed(days.items())
            ],
            "lost_services": [
                (names.get(slug, slug), number)
                for slug, number in sorted(lost.by_service.items(), key=lambda row: (-row[1], row[0]))
            ],
            "lost_months": [(month_title(month, language), number) for month, number in lost.by_month.items()],
            "by_service": _table(
                funnel.counts_by("service", rows),
                stages,
                lambda slug: names.get(slug, slug) or pgettext("label", "None chosen"),
            ),
            "by_placement": _table(funnel.counts_by("placement", rows), stages, placement_label),
            "extension_counts": funnel.extension_counts(rows),
            "campaigns": [
                (pgettext("label", "Others") if source == OTHER_SOURCES else source, number)
                for source, number in funnel.campaigns(query)
            ],
            "empty": not any(totals.values()),
            "counting": any(account.funnel for account in known_accounts().values()),
        }
        return render(request, "kordless_booking/admin/funnel.html", context)

    def csv_view(self, request: HttpRequest) -> HttpResponse:
        """Download what the page shows, as CSV."""
        query = self._query(request)
        response = HttpResponse(funnel.to_csv(query), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="funnel-{query.first}-{query.today}.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _query(self, request: HttpRequest) -> funnel.FunnelQuery:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return funnel.FunnelQuery.from_query(request.GET, today(), known_accounts())


def _sum_counts(several: Iterable[funnel.Counts]) -> dict[FunnelCount.Stage, int]:
    totals = dict.fromkeys(FunnelCount.Stage, 0)
    for counts in several:
        for stage, number in counts.items():
            totals[stage] += number
    return totals


def _bars(totals: Mapping[FunnelCount.Stage, int], stages: list[FunnelCount.Stage]) -> list[dict[str, Any]]:
    """Return each stage with its number, and with the share of the first stage that came this far at most."""
    bars, base = [], totals[stages[0]]
    reached = base
    for stage in stages:
        # A stage may have more than the one before: one visit may open two services, or choose two times. Whoever came
        # this far came as far as each stage before, so the smallest number is the most visits that it can be.
        reached = min(reached, totals[stage])
        bars.append(
            {
                "word": stage_label(stage),
                "number": totals[stage],
                "width": f"{reached / base * 100:.1f}%" if base else "0%",
                "share": f"{reached / base:.0%}" if base else "",
            }
        )
    return bars


def _day_label(day: Any, counts: funnel.Counts, base: FunnelCount.Stage) -> str:
    numbers = [f"{stage_label(stage)} {counts.get(stage, 0)}" for stage in (base, FunnelCount.Stage.BOOKED)]
    return f"{date_format(day, 'SHORT_DATE_FORMAT')}: {', '.join(numbers)}"


def _cells(counts: funnel.Counts, stages: list[FunnelCount.Stage]) -> list[int]:
    return [counts.get(stage, 0) for stage in stages]


def _table(
    found: Mapping[str, funnel.Counts], stages: list[FunnelCount.Stage], word: Any
) -> list[tuple[str, list[int]]]:
    """Return the rows of a table, those with the most bookings first."""
    order = sorted(found.items(), key=lambda row: [-row[1].get(stage, 0) for stage in reversed(FunnelCount.Stage)])
    return [(str(word(name)), _cells(counts, stages)) for name, counts in order]
