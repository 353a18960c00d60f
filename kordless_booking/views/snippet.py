"""Snippet builder: staff choose options, see a preview on another site, and copy two lines of HTML.

It is mounted with the widget, so each account has its own. It looks like Django's admin, and requires the admin's
login, and is in the same language: the one that Django has activated for the request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from unicodedata import normalize
from urllib.parse import quote, urlencode, urlsplit

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.validators import RegexValidator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.request import validate_host
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from kordless_booking.exceptions import KordlessError
from kordless_booking.presentation.locales import best_supported_language, default_language, supported_languages
from kordless_booking.presentation.palette import build_palette
from kordless_booking.presentation.safe_links import parse_done_url
from kordless_booking.presentation.themes import PLAIN, THEMES
from kordless_booking.setting_names import write_setting_line
from kordless_booking.urlconf import public_url
from kordless_booking.views import security
from kordless_booking.views.links import service_url_name
from kordless_booking.views.request import WidgetRequest, request_id_context
from kordless_booking.views.sign import build_sign
from kordless_booking.views.steps import bookable_services

MODES: Final = ("inline", "popup", "button")


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """Embed code of one widget.

    What is empty is left out of the HTML: then the visitor's language, the host page's color scheme, the business's
    color and theme and the full width apply.
    """

    base_url: str
    """Absolute URL at which the widget is mounted, with a slash at its end."""
    service: str = ""
    """Path of a service below `book`; "" for all services."""
    mode: str = "inline"
    """One of `MODES`."""
    text: str = "Book now"
    lang: str = ""
    scheme: str = ""
    accent: str = ""
    theme: str = ""
    width: str = ""
    done_url: str = ""
    close_label: str = ""
    open_label: str = ""

    def html(self) -> str:
        """Return the script and the link."""
        return f'<script async src="{escape(self.base_url)}embed.js"></script>\n{self.link()}'

    def link(self) -> str:
        """Return the link alone. It works without the script as well: it then opens the booking page."""
        attributes = {"href": f"{self.base_url}{self.service}", "data-kordless-booking": self.mode}
        attributes |= {f"data-{name.replace('_', '-')}": text for name, text in self._chosen().items()}
        written = " ".join(f'{name}="{escape(text)}"' for name, text in attributes.items())
        return f"<a {written}>{escape(self.text)}</a>"

    def query(self) -> str:
        """Return the query string with which the preview page builds the same link."""
        return urlencode({"service": self.service, "mode": self.mode, "text": self.text, **self._chosen()})

    def _chosen(self) -> dict[str, str]:
        names = ["lang", "scheme", "accent", "theme", "width", "done_url", "open_label"]
        # An inline widget has nothing to close.
        if self.mode != "inline":
            names.append("close_label")
        return {name: text for name in names if (text := getattr(self, name))}


_SALT: Final = "kordless_booking.snippet"
PREVIEW_SECONDS: Final = 86400
"""Seconds for which a preview can be opened."""
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?")


class SnippetForm(forms.Form):
    """Options of the snippet. An invalid field is left out of the snippet instead of blocking it."""

    service = forms.ChoiceField(label=pgettext_lazy("label", "Service"), required=False)
    mode = forms.ChoiceField(
        label=pgettext_lazy("label", "Placement"),
        choices=[
            ("inline", pgettext_lazy("placement of the widget", "In the page")),
            ("popup", pgettext_lazy("placement of the widget", "Link that opens a dialog")),
            ("button", pgettext_lazy("placement of the widget", "Floating button")),
        ],
        required=False,
        initial="inline",
        widget=forms.RadioSelect,
    )
    text = forms.CharField(label=pgettext_lazy("label", "Link text"), max_length=80, required=False)
    lang = forms.ChoiceField(label=pgettext_lazy("label", "Language"), required=False)
    scheme = forms.ChoiceField(
        label=pgettext_lazy("label", "Colors"),
        choices=[
            ("", pgettext_lazy("colors", "Match the page")),
            ("light", pgettext_lazy("colors", "Light")),
            ("dark", pgettext_lazy("colors", "Dark")),
            ("light dark", pgettext_lazy("colors", "Match the visitor’s system")),
        ],
        required=False,
    )
    accent = forms.CharField(
        label=pgettext_lazy("label", "Accent color"),
        # Translators: "#1f6f5c" stays as it is.
        help_text=gettext_lazy("Such as #1f6f5c. Leave it empty for your own color in Kordless."),
        validators=[
            RegexValidator(r"^#[0-9A-Fa-f]{6}$", gettext_lazy("A color is # and six digits or letters from a to f."))
        ],
        required=False,
    )
    theme = forms.ChoiceField(
        label=pgettext_lazy("label", "Theme"),
        # The others are proper names.
        choices=[
            ("", pgettext_lazy("theme", "Your own")),
            (PLAIN, pgettext_lazy("theme", "Plain")),
            *((name, name.capitalize()) for name in THEMES),
        ],
        required=False,
    )
    width = forms.ChoiceField(
        label=pgettext_lazy("label", "Size"),
        choices=[
            ("", pgettext_lazy("size of the widget", "Full width")),
            ("720px", pgettext_lazy("size of the widget", "At most 720 pixels")),
            ("480px", pgettext_lazy("size of the widget", "At most 480 pixels")),
        ],
        required=False,
        initial="",
        widget=forms.RadioSelect,
    )
    done_url = forms.CharField(
        label=pgettext_lazy("label", "Thank-you page"),
        # Translators: "Continue" is the button that leads there; "{service}" stays as it is.
        help_text=gettext_lazy(
            "Where “Continue” leads after a booking. {service} stands for the service’s name in web addresses."
        ),
        max_length=300,
        required=False,
    )
    site = forms.CharField(
        label=pgettext_lazy("label", "Website it goes on"),
        help_text=gettext_lazy("The address of the other website, to see whether it may embed yours."),
        max_length=300,
        required=False,
    )

    def __init__(self, visit: WidgetRequest, query: QueryDict | None = None) -> None:
        query = visit.request.GET if query is None else query
        self._visit = visit
        # A bound form ignores `initial`, so the defaults of the radio buttons are put into its data.
        data = query.copy()
        for name in ("mode", "width"):
            data.setdefault(name, self.base_fields[name].initial)
        # Of a site that has one color scheme alone, so have its widgets, unless another one is chosen here.
        own_scheme = "" if visit.account.color_scheme == "auto" else visit.account.color_scheme
        data.setdefault("scheme", own_scheme)
        if lang := best_supported_language(data.get("lang", "")):
            data["lang"] = lang
        super().__init__(data if query else None)
        self.fields["scheme"].initial = own_scheme
        try:
            listed = bookable_services(visit.catalog.organization().value)
        except KordlessError:
            # The builder works without Kordless; only the choice of a service is missing.
            listed = []
        services = self.services = [(service.slug, service.name) for service in listed]
        languages = [(code, _name_of(code)) for code in supported_languages()]
        for name, every, choices in (
            ("service", pgettext("button", "All services"), services),
            ("lang", pgettext("language", "The visitor’s own"), languages),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 (as written above)
            field.choices = [("", every), *choices]

    def clean_done_url(self) -> str:
        """Return the URL. Raises ValidationError for one that the confirmation wouldn't lead to."""
        text = str(self.cleaned_data["done_url"]).strip()
        url = parse_done_url(text)
        if text and url is None:
            # Translators: "https://shop.example/thanks" stays as it is.
            raise forms.ValidationError(_("Enter the address of a page, such as https://shop.example/thanks."))
        account = self._visit.account
        # Where the snippet leads, as `public_url` has it: staff may be on another host.
        origin = account.site_url or _origin(self._visit.request)
        if url and not security.may_lead_to_from(account, origin, url):
            raise forms.ValidationError(
                # Translators: "EMBED_ORIGINS" is the name of a setting.
                _("This website may not embed your booking yet. Add %(origin)s to EMBED_ORIGINS.")
                % {"origin": "{0.scheme}://{0.netloc}".format(urlsplit(url))}
            )
        return url or ""

    def clean_site(self) -> str:
        """Return the origin in lower case, with https by default. Raises ValidationError when there is none."""
        site = str(self.cleaned_data["site"]).strip().lower()
        found = _ORIGIN.match(site if "//" in site else f"https://{site}")
        if site and not found:
            # Translators: "https://shop.example" stays as it is.
            raise forms.ValidationError(_("Enter the address of a website, such as https://shop.example."))
        return found[0] if site and found else ""

    def chosen(self, name: str) -> str:
        """Return the field's value, its initial one before anything is sent; "" when it is invalid or empty."""
        self.is_valid()
        return str((self.cleaned_data.get(name) if self.is_bound else self.fields[name].initial) or "")


@login_not_required
@csrf_exempt
@require_safe
@never_cache
def snippet(request: HttpRequest) -> HttpResponse:
    """Show the builder to staff. Raises Http404 on a site without Django's admin."""
    if not apps.is_installed("django.contrib.admin"):
        raise Http404
    from django.contrib import admin  # noqa: PLC0415 (a site may do without)
    from django.contrib.auth.views import redirect_to_login  # noqa: PLC0415 (as above)

    try:
        login = reverse("admin:login")
    except NoReverseMatch:
        raise Http404 from None
    if not admin.site.has_permission(request):
        return redirect_to_login(request.get_full_path(), login)
    with request_id_context(request):
        context = {**admin.site.each_context(request), "title": pgettext("heading", "Booking on other websites")}
        return builder(WidgetRequest.from_http(request), "kordless_booking/snippet/admin.html", context)


@login_not_required
@csrf_exempt
@require_safe
@never_cache  # a template of the site's own may show who is logged in
def preview(request: HttpRequest) -> HttpResponse:
    """Show an empty page with the snippet on it. Only the builder may frame it.

    It plays the part of another site, so it is opened on another origin of this site where there is one. `from` is the
    builder's origin and query, signed: nobody else can have their scripts allowed, or their words shown in our name.
    """
    visit = WidgetRequest.from_http(request)
    try:
        opener, query = signing.loads(request.GET.get("from", ""), salt=_SALT, max_age=PREVIEW_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        opener, query = _origin(request), ""
    policy = (
        f"default-src 'none'; script-src {opener}; frame-src {opener}; style-src 'self'; frame-ancestors {opener}; "
        "base-uri 'none'; form-action 'none'"
    )
    made = _snippet(visit, SnippetForm(visit, QueryDict(query)), f"{opener}{reverse(f'{visit.namespace}:services')}")
    response = render(request, "kordless_booking/snippet/preview.html", {"snippet": mark_safe(made.html())})  # noqa: S308 (it has escaped itself)
    response["Content-Security-Policy"] = policy
    response["X-Robots-Tag"] = "noindex"
    response.xframe_options_exempt = True  # frame-ancestors says who may
    return response


def builder(
    visit: WidgetRequest, template: str, context: dict[str, Any] | None = None, *, elsewhere: str | None = None
) -> HttpResponse:
    """Return the builder, rendered with `template`.

    `elsewhere` is the URL of a page on another origin that shows the snippet in its query; by default, `preview` does.
    """
    request, form = visit.request, SnippetForm(visit)
    own = _origin(request)
    made = _snippet(visit, form, public_url(visit.account, request, reverse(f"{visit.namespace}:services")))
    if elsewhere is None:
        origin = _other_name(visit) or own
        token = signing.dumps([own, request.GET.urlencode()], salt=_SALT, compress=True)
        shown = f"{origin}{reverse(f'{visit.namespace}:snippet-preview')}?from={token}"
    else:
        shown = f"{elsewhere}?{made.query()}"
    stage = urlsplit(shown)
    more = {
        "form": form,
        "snippet": made.html(),
        "preview": shown,
        "same_origin": stage.netloc == request.get_host(),
        "stage": f"{stage.scheme}://{stage.netloc}",
        "sign": build_sign(
            f"{made.base_url}{made.service}",
            business=visit.organization.name if visit.organization else "",
            service=dict(form.services).get(form.chosen("service"), ""),
            language=form.chosen("lang") or best_supported_language(translation.get_language() or "") or "en",
        ),
        **_verdict(visit, form.chosen("site")),
    }
    response = render(request, template, {**(context or {}), **more})
    assets = security.static_origin()
    response["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' {assets}; style-src 'self' {assets}; img-src 'self' data: {assets}; "
        f"connect-src 'self'; frame-src {stage.scheme}://{stage.netloc}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return response


def _snippet(visit: WidgetRequest, form: SnippetForm, base_url: str) -> Snippet:
    """Return the snippet that the form describes, with its texts in the chosen language.

    `base_url` is the absolute URL of the widget: the public one in the lines to copy, the builder's own in the preview.
    """
    service, lang = form.chosen("service"), form.chosen("lang")
    segment = quote(service, safe="")
    if not service:
        path = ""
    elif service_url_name("slots", service) == "slots":
        path = f"{segment}/"
    else:
        path = f"service/{segment}/"
    # Without a choice the texts that stand on the other site are in the site's own language.
    with translation.override(lang or default_language()):
        text = form.chosen("text") or pgettext("button", "Book now")
        labels = {"close_label": pgettext("button", "Close"), "open_label": _("Open in a new tab")}
    own = {"close_label": "Close", "open_label": "Open in a new tab"}  # the script's defaults need no attribute
    mode = form.chosen("mode") or MODES[0]
    # A floating button stands on the other site, where the script can't ask for the color in Kordless.
    own_color = visit.account.color_of(visit.organization) if mode == "button" else None
    return Snippet(
        base_url=base_url,
        service=path,
        mode=mode,
        text=text,
        lang=lang,
        scheme=form.chosen("scheme"),
        accent=form.chosen("accent") or (build_palette(own_color).light.accent if mode == "button" else ""),
        theme=form.chosen("theme"),
        width=form.chosen("width"),
        done_url=form.chosen("done_url"),
        **{name: label for name, label in labels.items() if label != own[name]},
    )


def _verdict(visit: WidgetRequest, origin: str) -> dict[str, Any]:
    """Return `allowed` when the other site may embed the widget, else `missing` with the setting to add.

    Empty when no site was given.
    """
    if not origin:
        return {}
    # The site as visitors reach it: 'self' in its policy is that origin, not the one that the staff use.
    own = urlsplit(public_url(visit.account, visit.request, "/"))
    allowed = security.embed_origin_pattern(visit.account)
    if origin == f"{own.scheme}://{own.netloc}" or re.fullmatch(allowed, origin):
        return {"allowed": origin}
    origins = [one for one in visit.account.embed_origins if one != "'self'"]
    line = write_setting_line("EMBED_ORIGINS", [*origins, origin])
    return {"missing": {"origin": origin, "setting": line.text, "place": line.place}}


def _other_name(visit: WidgetRequest) -> str | None:
    """Return another origin of this same site that may embed the widget, or None.

    A preview there is the most realistic one: it is cross-origin.
    """
    own, names = urlsplit(_origin(visit.request)), settings.ALLOWED_HOSTS
    if "*" in names:
        return None
    for origin in visit.account.embed_origins:
        other = urlsplit(origin)
        if not other.hostname or "*" in other.hostname or (other.hostname, other.port) == (own.hostname, own.port):
            continue
        # Another port may belong to another site, even under a host name of ours.
        if other.port == own.port and validate_host(other.hostname, names):
            return origin
    return None


def _name_of(code: str) -> str:
    """Return a language's own name in Unicode NFC, as HTML recommends. One of Django's names is decomposed."""
    return normalize("NFC", translation.get_language_info(code)["name_local"])


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"
