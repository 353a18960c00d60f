"""A visitor made of the standard library: reads pages, follows links, sends forms; a browser without JS."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin


@dataclass
class Form:
    """A form as it stands in the page, with the values that its fields already have."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""


@dataclass
class Link:
    """A link's target and its words; those that only a screen reader hears count too."""

    url: str
    text: str


class Reading(HTMLParser):
    """What a page holds for a visitor: links, forms and all of its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._in_link = self._in_button = self._in_form = False
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(Link(given["href"], given.get("aria-label", "")))
            self._in_link = True
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
            self._in_form = True
        elif tag == "button":
            self._in_button = self._in_form
        elif tag in {"input", "textarea", "select"} and self._in_form and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._in_link = False
        elif tag == "form":
            self._in_form = False
        elif tag == "button":
            self._in_button = False

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._in_link:
            self.links[-1].text += data
        if self._in_button:
            self.forms[-1].button += data


class Visitor:
    """One visit to a site. `url` is where it stands, `page` what is read there, `seen` the HTML."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 0
        self.cookies: list[str] = []
        self.seen: dict[str, str] = {}
        self.open(url)

    def open(self, url: str, sent: dict[str, str] | None = None) -> None:
        """Go to an address, with a form's fields when there are any; follows redirects. Error pages are pages."""
        self.url = urljoin(self.url, url)
        body = urlencode(sent).encode() if sent is not None else None
        request = urllib.request.Request(self.url, data=body)  # noqa: S310 (http on this machine)
        if body is not None:
            request.add_header("Origin", "/".join(self.url.split("/")[:3]))
        try:
            answer = urllib.request.urlopen(request, timeout=30)  # noqa: S310 (http on this machine)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.url = answer.url
            self.status = answer.status
            self.cookies += answer.headers.get_all("Set-Cookie") or []
            html = answer.read().decode()
        self.seen[self.url] = html
        self.page = Reading(html)

    def follow(self, words: str) -> None:
        """Follow the first link whose text or address holds the words."""
        link = next(link for link in self.page.links if words in link.text or words in link.url)
        self.open(link.url)

    def send(self, button: str, **answers: str) -> None:
        """Fill in and send the form with this button."""
        form = next(form for form in self.page.forms if button in form.button)
        unknown = answers.keys() - form.fields.keys()
        assert not unknown, f"the form has no {unknown}; it has {sorted(form.fields)}"
        filled = {**form.fields, **answers}
        if form.method == "post":
            self.open(form.action, filled)
        else:
            self.open(f"{form.action.split('?')[0]}?{urlencode(filled)}")
