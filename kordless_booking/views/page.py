"""Context that every template gets as `kb`: the frame around a step."""

from __future__ import annotations

import re
from datetime import UTC
from functools import cache, lru_cache
from html import unescape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec
from django.utils import translation
from django_htmx.jinja import htmx_script

from kordless_booking.booking.steps import Step
from kordless_booking.presentation.safe_links import safe_url
from kordless_booking.presentation.texts import FoldedText, business_name, fold_long_text
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.views import security
from kordless_booking.views.extensions import find_scripts
from kordless_booking.views.request import FORM_INPUT_FIELD
from kordless_booking.views.skeletons import cached_with_language
from kordless_booking.views.stylesheet import (
    InlineStyle,
    Look,
    build_look,
    inline_style,
    later_style_url,
    style_color,
    style_url,
)

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking, Organization
    from kordless_booking.views.request import WidgetRequest


class Business(msgspec.Struct, frozen=True):
    """The business as its visitors know it."""

    name: str
    tagline: str
    logo: str | None
    """A safe https URL, or None; then `initial` is shown instead."""
    initial: str
    folded_tagline: FoldedText
    """The tagline, folded where it is long."""
    favicon: str | None = None
    """A safe https URL, or None."""


class ProgressStep(msgspec.Struct, frozen=True):
    """One step in the progress line."""

    label: str
    state: str
    """ "done", "current" or "todo"."""
    url: str | None = None


class Alternate(msgspec.Struct, frozen=True):
    """The page in another language."""

    language: str
    """Language tag for hreflang, or "x-default"."""
    url: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """Description of a page for programs, in its head. Everything is untrusted text but `structured_data`."""

    title: str
    description: str
    """One line, perhaps empty."""
    site_name: str = ""
    """Name of the business where it isn't the title; else ""."""
    image: str = ""
    """A safe https URL, or ""."""
    has_large_image: bool = False
    """The image was made for previews, so they may show it large. A logo is shown small."""
    canonical: str = ""
    """Absolute URL under which search engines may list the page; "" where they may not."""
    alternates: list[Alternate] = []
    """With `canonical`, the same page in every language."""
    structured_data: str = ""
    """With `canonical`, a JSON-LD document, escaped for a script element."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Values that every template can rely on, also one that overrides ours.

    docs/theming.md has the same list in prose.
    """

    layout: str
    """Name of the template to extend."""
    stage_id: str
    """DOM id of the element that a step is swapped into."""
    inline: bool
    """Inside a page of the host's, without a frame: by the template tag, or with BASE_TEMPLATE around it."""
    push: bool
    """The browser's URL changes with the step."""
    lang: str
    dir: str
    """ "ltr" or "rtl"."""
    title: str
    heading: str
    """Element of the main heading: h1 on a page of ours, h2 inside a host's."""
    subheading: str
    business: Business | None
    """None when Kordless could not be asked."""
    style_url: str
    inline_style: str
    """Text of that style sheet, on a page of the widget's own; "" where the page links it."""
    inline_style_source: str
    """Source that allows this text in the page's Content-Security-Policy, or ""."""
    later_style_url: str
    """Style sheet of later steps; loaded with them, unless the page has it already."""
    home_url: str
    manage_url: str
    sandbox: bool
    """The account uses the sandbox: no booking is real."""
    scheme: str = ""
    """ "light" or "dark" where a link or the site says which; "" for the visitor's own."""
    autozone: bool = False
    """The visitor's time zone is not known yet, and the script may report it."""
    self_url: str = ""
    address: str = ""
    """URL of an inline step, for the browser's history; "" where it has a token that opens something personal."""
    keeps_history: bool = True
    """Inline, each step is an entry in the browser's history, so that Back leads to the step before."""
    framed: bool = False
    """In a frame on another page."""
    close_side: str = ""
    """ "start" or "end" in a dialog: where the host page's close button stands over the header."""
    embed_origin_pattern: str = ""
    """Regular expression of the origins that may frame the page. The script needs it to send events to them."""
    htmx_url: str = ""
    """URL of the htmx that the script loads; inside a page of the site where that has none that it knows."""
    is_colorless: bool = False
    """The business's color wasn't known when an inline widget was made; the script takes it from the next response."""
    look_class: str = ""
    """Class of an inline widget whose color or width isn't that of the page's style sheet; else ""."""
    look_url: str = ""
    """Style sheet of that class; "" where another widget on the page has loaded it."""
    skip_assets: bool = False
    """Leave out style sheet and scripts: another widget on the page has loaded them."""
    form_input_token: str = ""
    """Encrypted form input, or "". With it, the page's controls are buttons that post it, instead of links."""
    progress: list[ProgressStep] = []
    metadata: Metadata | None = None
    """Description of the page for search engines and chats; None where it has none."""
    refresh: int | None = None
    """Seconds after which a page without JavaScript reloads, or None."""
    scripts: list[str] = []
    """URLs of scripts of extensions."""

    @property
    def link(self) -> str:
        """Element of the page's controls, whose attributes parts/link_attributes.html writes."""
        return "button" if self.form_input_token else "a"

    @property
    def form_input_form_id(self) -> str:
        """DOM id of the form that parts/form_input.html makes, or ""."""
        return f"{self.stage_id}-form-input" if self.form_input_token else ""

    def form_target(self, url: str, bare_url: str, fields: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
        """Return the action and the hidden fields of a form that changes one of the visitor's choices.

        `url` has all other choices in its query, `bare_url` has none, and `fields` are the same choices as fields.
        """
        # A form sent by GET replaces the query of its action with its fields; one sent by POST doesn't.
        if self.form_input_token:
            return url, [(FORM_INPUT_FIELD, self.form_input_token)]
        return bare_url, fields


def embed_event(
    name: Literal["booked", "rescheduled", "cancelled"], booking: Booking, service: str | None = None
) -> dict[str, str]:
    """Return the data that parts/event.html puts on the card: slug of the service, start in UTC, status.

    Nothing personal, because the host page gets it. See docs/embed.md.
    """
    return {
        "name": name,
        "service": service or booking.service_slug or "",
        "start": booking.start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "status": booking.status,
    }


def build_page(
    visit: WidgetRequest, title: str, *, step: Step | None = None, address: str = "", name: str = "", **more: Any
) -> Page:
    """Return the context that every template gets as `kb`. `more` are further fields of it.

    `address` is the URL of the step, where nothing in it opens something personal. `name` is the page's URL name where
    the foot would link to it, so that no link leads to the page that it is on, or there a second time.
    """
    layout = (
        "inline" if visit.embedded else "fragment" if visit.fragment else "site" if visit.in_base_template else "page"
    )
    organization = visit.organization
    business = business_of(organization) if organization else None
    style = inline_style(visit.account, visit.choices, organization) if layout == "page" else InlineStyle()
    return Page(
        layout=f"kordless_booking/layouts/{layout}.html",
        stage_id=visit.target_id,
        inline=visit.inline or visit.in_base_template,
        push=not visit.inline,
        lang=visit.language,
        dir="rtl" if _is_rtl(visit.language) else "ltr",
        title=f"{title} · {business.name}" if business else title,
        heading="h2" if visit.inline else "h1",
        subheading="h3" if visit.inline else "h2",
        business=business,
        style_url=style_url(visit.links.mount, visit.account, visit.choices, organization),
        inline_style=style.text,
        inline_style_source=style.source,
        later_style_url=later_style_url(visit.links.mount, visit.account, visit.choices),
        home_url=visit.links.services_url if name != "services" else "",
        # With the visitor's zone: the booking that is found there is shown in it.
        manage_url=visit.links.url(
            "manage-find", choices=visit.choices.appearance().replace(timezone=visit.choices.timezone)
        )
        if name != "manage-find"
        else "",
        sandbox=bool(visit.account.sandbox),
        **_embedding_fields(visit, organization),
        # Elsewhere the address of the page says it.
        address=address if visit.inline else "",
        scheme=_color_scheme(visit),
        framed=bool(visit.choices.embed) and not visit.inline,
        close_side=_close_side(visit),
        embed_origin_pattern=security.embed_origin_pattern(visit.account),
        progress=_progress(visit, step) if step else [],
        scripts=find_scripts(),
        **more,
    )


def _color_scheme(visit: WidgetRequest) -> str:
    """Return "light" or "dark" where a link or the site says which; "" for the visitor's own."""
    scheme = visit.choices.scheme or visit.account.color_scheme
    return scheme if scheme in {"light", "dark"} else ""


def _embedding_fields(visit: WidgetRequest, organization: Organization | None) -> dict[str, Any]:
    """Return the fields of a page that stands inside one of the site's, by a template tag or in BASE_TEMPLATE."""
    embedding = visit.embedding
    if embedding is None:
        return {} if visit.fragment else {"htmx_url": find_htmx_url()}
    found: dict[str, Any] = {
        "skip_assets": embedding.skip_assets,
        "keeps_history": embedding.keeps_history,
        "htmx_url": find_htmx_url(),
        "is_colorless": organization is None and visit.choices.accent is None and not visit.account.accent,
    }
    if look := find_look(visit, organization):
        is_loaded = look.class_name in embedding.look_classes
        found |= {"look_class": look.class_name, "look_url": "" if is_loaded else look.url}
    return found


@cache
def find_htmx_url() -> str:
    """Return the URL of the htmx 2 that django-htmx ships. Its file has another name in each of its releases."""
    match = re.search(r'src="([^"]+)"', htmx_script())
    return unescape(match[1]) if match else ""


on_setting_change({"STATIC_URL", "STORAGES", "DEBUG"}, find_htmx_url.cache_clear)


def find_look(visit: WidgetRequest, organization: Organization | None) -> Look | None:
    """Return the look of a widget that a template tag renders; None where it is that of the page's style sheet."""
    embedding = visit.embedding
    if embedding is None:
        return None
    color = style_color(visit.account, visit.choices, organization)
    if not embedding.width and embedding.page_color in {"", color}:
        return None
    return build_look(visit.links.mount, visit.account, visit.choices, color, embedding.width)


def _close_side(visit: WidgetRequest) -> str:
    """Return the side of the dialog's close button in the page's own direction: the page around may have another."""
    side = visit.choices.embed
    if visit.inline or side not in {"left", "right"}:
        return ""
    return "start" if (side == "right") == _is_rtl(visit.language) else "end"


@lru_cache(maxsize=64)
def _is_rtl(language: str) -> bool:
    # `get_language_info` makes a copy, and translates the language's name.
    return bool(translation.get_language_info(language)["bidi"])


def _progress(visit: WidgetRequest, current: Step) -> list[ProgressStep]:
    first, *others = _progress_steps(current, visit.language)
    # After the booking there is no way back.
    url = visit.links.services_url if current is Step.SLOT or current is Step.CONTACT else None
    return [ProgressStep(first.label, first.state, url), *others]


@cached_with_language(64)
def _progress_steps(current: Step, _language: str) -> list[ProgressStep]:
    """Return the progress line in the language, which is the active one, without links."""
    states = {step: "done" if step.before(current) else "todo" for step in Step} | {current: "current"}
    return [ProgressStep(str(step.label), states[step]) for step in Step]


def origin_of(url: str | None) -> str | None:
    """Return the origin of an https URL, safe to put into a header; None for any other."""
    parts = urlsplit(url) if url else None
    return f"{parts.scheme}://{parts.netloc}" if parts and parts.scheme == "https" and _is_host(parts.netloc) else None


def _is_host(netloc: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", netloc) is not None


@lru_cache(maxsize=256)
def business_of(organization: Organization) -> Business:
    """Return what templates get of the organization. A logo or favicon that isn't on https is dropped."""
    name = business_name(organization)
    return Business(
        name=name,
        tagline=organization.tagline or "",
        logo=safe_image(organization.branding.logo),
        initial=name[:1].upper(),
        folded_tagline=fold_long_text(organization.tagline or ""),
        favicon=safe_image(organization.branding.favicon),
    )


def safe_image(url: str | None) -> str | None:
    """Return the URL of a picture of the business's when it is safe and on https, else None."""
    safe = safe_url(url)
    return safe if origin_of(safe) else None
