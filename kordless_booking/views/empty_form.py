"""Fields of a contact form into which nobody has typed anything: the same for all visitors, and rendered once.

Django renders each widget by a template of its own, which takes most of the time of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.forms.renderers import DjangoTemplates
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from kordless_booking.memory_budget import BoundedDict, text_bytes
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.views.package_templates import find_package_templates
from kordless_booking.views.questions import asked_questions
from kordless_booking.views.skeletons import SHARED_BUDGET, Skeleton, placeholder

if TYPE_CHECKING:
    from kordless_booking.forms import ContactForm
    from kordless_booking.presentation.site_texts import SiteText
    from kordless_booking.views.request import WidgetRequest

_FIELDS: Final = "kordless_booking/parts/fields.html"
_rendered: BoundedDict[tuple[object, ...], Skeleton] = BoundedDict(SHARED_BUDGET)
on_setting_change(None, _rendered.clear)


def render_empty_fields(visit: WidgetRequest, form: ContactForm, service: str, party_size: int) -> SafeString | None:
    """Return the fields of this form as HTML; None where they may be this visitor's own, or a template the site's.

    A form with questions is rendered for each request: a function of the site's may ask something else each time.
    """
    account = visit.account
    if form.is_bound or form.initial or form.also or account.prefill or asked_questions(account, service):
        return None
    package = find_package_templates(_FIELDS)
    # A site may have its widgets rendered by templates that show anything, and a lazy text may be another each time.
    is_usual = type(form.renderer) is DjangoTemplates and all(_is_fixed(box.label) for box in account.consent)
    if package is None or not is_usual:
        return None
    own = account.service_settings(service)
    key = (
        package,
        get_language(),
        own.contact_fields,
        own.max_guests(party_size),
        form.by_phone,
        form.region,
        tuple([(box.field, box.fingerprint, box.required) for box in account.consent]),
    )
    skeleton = _rendered.get(key)
    if skeleton is None:
        # A client can make up the beginning of the DOM ids.
        auto_id, form.auto_id = form.auto_id, f"{placeholder(0)}-%s"
        # Without its last line break, which fields.html has behind what is inserted, too.
        skeleton = Skeleton(package.render({"form": form}).removesuffix("\n"))
        form.auto_id = auto_id
        _rendered.put(key, skeleton, text_bytes(skeleton.pieces))
    return mark_safe(skeleton.fill([escape(visit.field_ids.removesuffix("-%s"))]))  # noqa: S308 (the skeleton escapes)


def _is_fixed(text: SiteText) -> bool:
    return all(isinstance(each, str) for each in (text.values() if isinstance(text, Mapping) else [text]))
