"""Request object of the widget: account, language, choices, and access to the account's services."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from django_htmx.middleware import HtmxDetails

from kordless_booking import conf
from kordless_booking.api.resources import Organization, ServiceDetail
from kordless_booking.booking.choices import PAGE_SCHEME, QUERY_NAMES, Choices
from kordless_booking.booking.form_input import decrypt_form_input, encrypt_form_input, known_fields
from kordless_booking.booking.metadata import decrypt_metadata
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.requested_days import REQUESTED_DAYS_NAMES
from kordless_booking.booking.terms import Terms
from kordless_booking.consent import consent_lengths
from kordless_booking.exceptions import KordlessError, NotFound
from kordless_booking.forms import ContactForm
from kordless_booking.funnel.page_views import PageView, count_later_stage
from kordless_booking.logs import request_id
from kordless_booking.models import FunnelCount
from kordless_booking.prefetch import is_prefetch
from kordless_booking.presentation.locales import (
    best_supported_language,
    default_language,
    has_locale_middleware,
    is_monolingual,
    supported_languages,
)
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.upstream.booking_cache import BookingCache
from kordless_booking.upstream.catalog import Catalog
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.registry import load_client_modules, services_for
from kordless_booking.upstream.request_view import RequestView
from kordless_booking.urlconf import current_mount
from kordless_booking.views import security
from kordless_booking.views.links import WidgetLinks

if TYPE_CHECKING:
    from kordless_booking.api.client import Kordless


_MAX_ACCEPT_LANGUAGE: Final = 501
"""Characters of the header: one more than Django reads, which leaves out the last language of a longer one."""


def language_for(request: HttpRequest) -> str:
    """Return the language that the site has activated where it does so, else the best of what the browser accepts.

    That of a monolingual site is its own.
    """
    header = request.META.get("HTTP_ACCEPT_LANGUAGE", "")
    # Cut before the cache, whose keys come from a client.
    return _browser_language(header[:_MAX_ACCEPT_LANGUAGE]) or page_language()


# A cache, because few headers are sent by most browsers, and finding a language takes as long as reading the query.
@lru_cache(maxsize=512)
def _browser_language(header: str) -> str | None:
    """Return the language for an Accept-Language header; None where the site activates one for each request."""
    # Without such a middleware the active language is only the default.
    if has_locale_middleware():
        return None
    if is_monolingual():
        return default_language()
    for accepted, _quality in parse_accept_lang_header(header):
        found = best_supported_language(accepted)
        if found:
            return found
    return default_language()


on_setting_change(None, _browser_language.cache_clear)


def page_language() -> str:
    """Return the language in which a page of the site around the widget is rendered, or the nearest supported one."""
    return best_supported_language(translation.get_language() or "") or default_language()


def make_readable(request: HttpRequest, *, embedded: bool = False) -> bool:
    """Have the query read as UTF-8, as our pages send it. Return False for a request that can't be read.

    Its query is empty then. With `embedded`, a page of the site has the request for itself, and only a query that
    can't be read at all is replaced.
    """
    # Django decodes with whatever codec the client names in Content-Type, and for a GET too: "hex" makes it raise,
    # "unicode_escape" makes halves of surrogate pairs, which can't be written.
    is_foreign = (request.encoding or "utf-8").lower() != "utf-8"
    if is_foreign and not embedded:
        request.encoding = "utf-8"
    try:
        _ = request.GET
    except (LookupError, ValueError, SuspiciousOperation):
        request.GET = QueryDict()
        return False
    # A form in another encoding would be misread.
    return not (is_foreign and request.method == "POST")


def _read_plain_query(request: HttpRequest) -> dict[str, str] | None:
    """Return the last value of each name in a query, as `request.GET` would; None for what Django has to decode.

    `request.GET` takes three times as long, and most pages need nothing else of it.
    """
    query = request.META.get("QUERY_STRING", "")
    # Middleware may have read it already, or replaced it.
    if "GET" in vars(request) or request.encoding is not None or not query.isascii():
        return None
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS))
    except ValueError:
        return None


# All three are matched against what a client sends.
_INLINE_STAGE: Final = re.compile(r"kb-inline-(?:-{0,2}[a-z0-9]){1,50}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Only the widget's own links have one of these parameters.
_CHOSEN_HERE: Final = re.compile(r"(?:^|&)(?:month|day|host|team|with|party|clock|hours|later|after|before|taken)=")
FORM_INPUT_FIELD: Final = "form_input"
"""Name of the hidden field with the encrypted form input."""
FOUND_SUFFIX: Final = "_found"
"""End of the DOM id of a search's results, behind that of the stage. No stage's id has an underscore."""
TARGET_ID: Final = "kb-stage"
"""DOM id of the swap target on the widget's own pages."""


FRAME_HEADER: Final = "HTTP_SEC_FETCH_DEST"
"""Header that says what a browser wants a document for. Safari has it since 16.4."""
_FRAMES: Final = frozenset({"iframe", "frame", "embed", "object"})


def is_for_frame(request: HttpRequest) -> bool:
    """Return True where the browser says that the document is for a frame, whether or not our script made it."""
    return request.META.get(FRAME_HEADER) in _FRAMES


QUERY_PREFIX: Final = "kb-"
"""Begin of the names that a widget inside a page of the site reads of its query; all others are the page's own."""
_READ_INLINE: Final = (QUERY_NAMES - {"embed", "thanks", "meta"}) | REQUESTED_DAYS_NAMES


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Arguments of a template tag that renders the widget inside a page of the site, and what it knows of the page."""

    stage_id: str
    """DOM id of the swap target."""
    query_prefix: str = QUERY_PREFIX
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `Choices` that the tag's arguments set. They override the query."""
    width: str = ""
    """Largest width, a CSS length, or ""."""
    page_color: str = ""
    """Color of the style sheet that the page has already, or "" for the first widget on it."""
    look_classes: Collection[str] = ()
    """Classes whose style sheets the page has already."""
    skip_assets: bool = False
    """Leave out style sheet and scripts, because another widget on the same page has loaded them."""
    is_lazy: bool = False
    """Make the page from cached data alone; the script loads the rest on sight."""
    keeps_history: bool = True
    """Each step is an entry in the browser's history."""

    def read_query(self, query: Mapping[str, str]) -> dict[str, str]:
        """Return what the page's query has for this widget, by the names without the prefix."""
        names = {f"{self.query_prefix}{name}": name for name in _READ_INLINE}
        return {names[name]: query[name] for name in query if name in names}


class AccountAccess:
    """Access to the services of an account for one request: everything that a page reads goes through one view.

    `cached_only`: use cached data alone, for a prefetch.
    """

    def __init__(self, account: conf.Account, *, cached_only: bool) -> None:
        self._account = account
        self._cached_only = cached_only
        # The deadline of the page begins after this.
        load_client_modules()

    @cached_property
    def reads(self) -> RequestView:
        """View of the read-through cache for this request. It records what the page reads."""
        return RequestView(services_for(self._account).catalog_cache, cached_only=self._cached_only)

    @cached_property
    def catalog(self) -> Catalog:
        """Catalog that reads through `reads`."""
        return services_for(self._account).catalog.for_request(self.reads)

    @cached_property
    def permits_are_short(self) -> bool:
        """True while few permits for pages are left. Read once for a request, and only where something isn't cached."""
        return services_for(self._account).gate.browse_permits().are_short

    @property
    def client(self) -> Kordless:
        """Client of the account, for what must not be cached."""
        return services_for(self._account).client

    def mark_draft_open(self) -> None:
        """Mark that this visitor is about to book: browsing borrows none of the requests for bookings then."""
        # A prefetched form may never be seen.
        if not self._cached_only:
            services_for(self._account).gate.mark_draft_open()

    @property
    def bookings(self) -> BookingCache:
        """Bookings that were looked up for a page a moment ago."""
        return services_for(self._account).bookings

    @property
    def cache(self) -> FallbackCache:
        """Shared cache, which falls back to process memory."""
        return services_for(self._account).cache

    @cached_property
    def organization(self) -> Organization | None:
        """Organization, or None when Kordless can't be asked: pages are shown without its name then."""
        try:
            return self.catalog.organization().value.organization
        except (KordlessError, ImproperlyConfigured):
            return None


@dataclass(frozen=True, kw_only=True, eq=False)
class WidgetRequest:
    """Request of a visitor to the widget. Nothing changes it; `with_choices` returns another one."""

    request: HttpRequest
    namespace: str
    """Namespace of the widget's URLs. It names the account."""
    account: conf.Account
    now: datetime
    """UTC, and the same throughout the request."""
    id: str
    """Request id, for the log."""
    embedding: Embedding | None
    """Set where a template tag renders the widget inside a page of the site."""
    query: Mapping[str, str]
    """Query of the widget: that of the request, or the part of a page's that is this widget's."""
    fragment: bool
    """Answer with the step alone, for htmx to swap in."""
    target_id: str
    """DOM id of the swap target."""
    choices: Choices
    language: str
    is_prefetch: bool
    """A prefetch: only cached data may be used."""
    access: AccountAccess
    is_readable: bool = True
    """False for a request whose query or form can't be read: its page has to say so."""
    form_input_override: Mapping[str, str] | None = field(default=None, repr=False)
    """Form input that the view knows from elsewhere than the posted form."""

    @classmethod
    def from_http(
        cls,
        request: HttpRequest,
        *,
        namespace: str | None = None,
        embedding: Embedding | None = None,
    ) -> WidgetRequest:
        """Read a request. Raises ImproperlyConfigured when its account has no usable settings.

        `namespace` overrides the namespace of the URL. With `embedding`, a template tag renders the widget inside a
        page of the site, whose language it has, and whose query is the page's own but for the names with a prefix.
        """
        match = request.resolver_match
        namespace = namespace or (match.namespace if match else "") or "kordless_booking"
        account = conf.get_account(namespace)
        plain_query = None if embedding else _read_plain_query(request)
        is_readable = plain_query is not None or make_readable(request, embedded=embedding is not None)
        # Not `request.htmx`: a host may do without the middleware. Without the header, `HtmxDetails` would still read
        # every header of the request.
        htmx = HtmxDetails(request) if "HTTP_HX_REQUEST" in request.META else None
        # A search swaps its results alone; they are within the stage.
        target = ((htmx and htmx.target) or "").removesuffix(FOUND_SUFFIX)
        target_id = TARGET_ID
        if embedding is not None:
            target_id = embedding.stage_id
        elif _INLINE_STAGE.fullmatch(target):
            target_id = target
        # A dict of the last values: a QueryDict takes ten times as long for each name, and a page reads twenty.
        query: Mapping[str, str]
        if plain_query is not None:
            query = plain_query
        else:
            query = embedding.read_query(request.GET) if embedding else request.GET.dict()
        choices = Choices.from_query(query, supported_languages())
        if embedding is not None:
            choices = choices.replace(**embedding.choices)
        if account.color_scheme == "auto":
            drops_scheme = choices.scheme == "light dark"
        else:
            drops_scheme = embedding is None and query.get("scheme", "").startswith(PAGE_SCHEME)
        if drops_scheme:
            choices = choices.replace(scheme=None)
        language = choices.lang or (page_language() if embedding else language_for(request))
        if target_id != TARGET_ID:
            # The page around it may have a language of its own, so each link names it.
            choices = choices.replace(lang=language)
        if choices.done_url and not security.may_lead_to(account, request, choices.done_url):
            choices = choices.replace(done_url=None)
        now = datetime.now(UTC)
        if choices.metadata and not decrypt_metadata(account.name, choices.metadata, now.timestamp()):
            choices = choices.replace(metadata=None)
        prefetch = is_prefetch(request)
        return cls(
            request=request,
            namespace=namespace,
            account=account,
            now=now,
            id=request_id_of(request),
            embedding=embedding,
            query=query,
            # To restore its history, htmx needs a whole page.
            fragment=bool(htmx and not htmx.history_restore_request) and embedding is None,
            target_id=target_id,
            choices=choices,
            language=language,
            is_prefetch=prefetch,
            access=AccountAccess(account, cached_only=prefetch or (embedding is not None and embedding.is_lazy)),
            is_readable=is_readable,
        )

    def with_choices(self, choices: Choices) -> WidgetRequest:
        """Return the same request with other choices. What was read already stays read."""
        return replace(self, choices=choices)

    def with_form_input(self, form_input: Mapping[str, str]) -> WidgetRequest:
        """Return the same request with this form input."""
        return replace(self, form_input_override=form_input)

    @cached_property
    def form_input(self) -> Mapping[str, str]:
        """Form input on its way into the next contact form, by field: posted itself, or in an encrypted token.

        Never from the URL, which others may see. Reading it raises what reading a malformed form raises.
        """
        if self.form_input_override is not None:
            return self.form_input_override
        # A page of the site around the widget may answer a form of its own.
        if self.request.method != "POST" or self.embedded:
            return {}
        boxes = consent_lengths(self.account.consent)
        limits = ContactForm.max_lengths() | boxes
        if token := self.request.POST.get(FORM_INPUT_FIELD):
            found = decrypt_form_input(self.account.name, token, self.now.timestamp(), limits)
        else:
            found = known_fields(self.request.POST, limits)
        if security.is_same_origin(self.request):
            return found
        # Another site's page may fill fields in, but it ticks no box: that wouldn't be the visitor's consent.
        return {name: text for name, text in found.items() if name not in boxes}

    @cached_property
    def form_input_token(self) -> str:
        """Encrypted form input, for a hidden field; "" when there is none."""
        return encrypt_form_input(self.account.name, self.form_input) or ""

    @property
    def embedded(self) -> bool:
        """Rendered by a template tag inside a page of the site."""
        return self.embedding is not None

    @property
    def inline(self) -> bool:
        """Shown inside a page of the site, without a frame: at first by the template tag, then by htmx."""
        return self.target_id != TARGET_ID

    @property
    def in_base_template(self) -> bool:
        """On the widget's own pages, with the site's BASE_TEMPLATE around them. A frame has the page to itself."""
        return bool(self.account.base_template) and not (
            self.inline or self.choices.embed or is_for_frame(self.request)
        )

    @property
    def field_ids(self) -> str:
        """Pattern of the DOM ids of fields. Two widgets on a page of the site may show the same form."""
        return f"{self.target_id}-%s" if self.inline else "kb-%s"

    @cached_property
    def links(self) -> WidgetLinks:
        """Builder of links to the widget's pages. Paths may depend on the active language."""
        return WidgetLinks(current_mount(self.namespace), self.choices)

    @property
    def catalog(self) -> Catalog:
        """Catalog of the account, for this request."""
        return self.access.catalog

    @property
    def client(self) -> Kordless:
        """Client of the account, for what must not be cached."""
        return self.access.client

    @property
    def organization(self) -> Organization | None:
        """Organization, or None when Kordless can't be asked."""
        return self.access.organization

    @property
    def placement(self) -> FunnelCount.Placement:
        """Placement of the widget, for the funnel."""
        return (
            FunnelCount.Placement.INLINE
            if self.inline
            else FunnelCount.Placement.EMBED
            if self.choices.embed
            else FunnelCount.Placement.PAGE
        )

    def page_view(self, service: str = "", *, empty_month: date | None = None) -> PageView | None:
        """Return the page view for the funnel: of the times of a service, or the list of services. None when it is off.

        It is counted with the response. `empty_month` is the first day of the month in which a time was wanted, if the
        page has none.
        """
        if not self.account.funnel:
            return None
        # Inline, the browser's URL (and so the Referer) doesn't change with the step. But links of the widget have
        # parameters that the first page has not.
        within = self.inline and not self.embedded and _CHOSEN_HERE.search(self.request.META.get("QUERY_STRING", ""))
        return PageView(
            self.account.name,
            service,
            self.placement,
            self.links.url("services", choices=Choices()),
            self.links.service_url("slots", service, Choices()) if service else "",
            continues=bool(within),
            empty_month=empty_month,
        )

    def record_stage(self, stage: FunnelCount.Stage | str, service: str, source: str = "") -> None:
        """Count a visitor who reached this stage of the funnel, which may be one of `hooks.funnel_stages`.

        With `source`, it is counted for this campaign source as well. A hook's stage is counted without `service`
        unless the organization lists it.
        """
        if self.account.funnel:
            # The pages of the widget record a service that they have found; a hook may have read it from the query, and
            # each made-up slug would be another row.
            if service and not isinstance(stage, FunnelCount.Stage) and not self._is_listed(service):
                service = ""
            count_later_stage(self.request, self.account.name, service, self.placement, stage, source)

    def _is_listed(self, slug: str) -> bool:
        """Return whether the organization lists this service; False when Kordless can't be asked."""
        try:
            listed = self.catalog.organization().value.services
        except (KordlessError, ImproperlyConfigured):
            return False
        return any(service.slug == slug for service in listed)

    def preferences(self, timezone: str | None, terms: Terms | None = None) -> VisitorPreferences:
        """Return the visitor's preferences, for mails that are written later. Zone and terms may be unknown."""
        return VisitorPreferences(language=self.language, timezone=timezone, hours=self.choices.hours, terms=terms)

    def bookable_service(self, slug: str) -> ServiceDetail:
        """Return a service. Raises NotFound also for one that is not bookable by the public."""
        detail = self.catalog.service(slug).value
        if not detail.service.bookable:
            raise NotFound(operation="service")
        return detail


class request_id_context:  # noqa: N801 (used as a function; one that yields takes five times as long)
    """Add the request id to each log line that is written in this context."""

    __slots__ = ("_request", "_token")

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __enter__(self) -> None:
        self._token = request_id.set(request_id_of(self._request))

    def __exit__(self, *_error: object) -> None:
        request_id.reset(self._token)


def request_id_of(request: HttpRequest) -> str:
    """Return the request id: the proxy's X-Request-ID when it is 8 to 64 safe characters, else a random one."""
    name: str | None = getattr(request, "kordless_request_id", None)
    if name is None:
        header = request.META.get("HTTP_X_REQUEST_ID", "")
        name = header if header and _REQUEST_ID.fullmatch(header) else secrets.token_hex(8)
        # Stored, so that every line and the response's header have the same id.
        request.kordless_request_id = name  # type: ignore[attr-defined]
    return name
