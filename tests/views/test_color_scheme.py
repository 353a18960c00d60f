"""COLOR_SCHEME: the colors of a site that has only light or only dark ones."""

from typing import Any

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from pytest_django import Settings

PATHS = ["", "haircut/", "haircut/zone/", "manage/", "nothing-of-that-name/"]
TAG = "{%% load kordless_booking %%}{%% booking_widget service='haircut' %s %%}"


def read(client: Client, path: str) -> str:
    """Return the HTML of a page of the widget."""
    return client.get(f"/book/{path}").content.decode()


@pytest.fixture
def light(site: Settings, account_settings: dict[str, Any]) -> None:
    """A site that has light colors only."""
    site.KORDLESS_BOOKING = {**account_settings, "COLOR_SCHEME": "light"}


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_the_color_scheme_of_the_site(client: Client, light: None, path: str):
    """Pages, problems and the lookup; their links need not say it again."""
    html = read(client, path)
    assert '<meta name="color-scheme" content="light">' in html
    assert 'data-scheme="light"' in html
    assert "scheme=" not in html.replace('data-scheme="light"', "")


@pytest.mark.parametrize(("scheme", "shown"), [("dark", "dark"), ("light%20dark", "light dark"), ("odd", "light")])
def test_a_link_decides_before_the_site(client: Client, light: None, scheme: str, shown: str):
    """Also one that asks for the visitor's own colors; what is no scheme counts for nothing."""
    html = read(client, f"haircut/?scheme={scheme}")
    assert f'<meta name="color-scheme" content="{shown}">' in html
    assert ("scheme=" in html.replace("data-scheme=", "")) is (scheme != "odd")


@pytest.mark.parametrize("around", ["dark", "light%20dark", "light", "dark%20only"])
def test_the_site_decides_before_the_page_around_a_frame(client: Client, light: None, around: str):
    """Nobody has chosen that page's colors for the widget, and no link of the frame repeats them."""
    html = read(client, f"haircut/?scheme=page%20{around}&embed=1")
    assert '<meta name="color-scheme" content="light">' in html
    assert "scheme=" not in html.replace('data-scheme="light"', "")


@pytest.mark.parametrize(("around", "shown"), [("dark", "dark"), ("light%20only", "light"), ("light%20dark", "")])
def test_a_site_without_a_color_scheme_follows_the_page_around_a_frame(
    client: Client, site: Settings, around: str, shown: str
):
    """The page and its links, which name the scheme alone. A scheme that is forced on a page is the same scheme."""
    html = read(client, f"haircut/?scheme=page%20{around}&embed=1")
    assert (f'data-scheme="{shown}"' in html) if shown else ("data-scheme" not in html)
    assert (f"scheme={shown}&amp;" in html) is bool(shown)
    assert "scheme=page" not in html


@pytest.mark.parametrize(
    ("argument", "shown"), [("", "light"), ("dark", "dark"), ("light", "light"), ("light dark", "")]
)
def test_a_tag_decides_before_the_site(rf: RequestFactory, light: None, argument: str, shown: str):
    """Without the argument, the widget has the colors of the site."""
    given = f"scheme='{argument}'" if argument else ""
    html = Template(TAG % given).render(Context({"request": rf.get("/")}))
    assert (f'data-scheme="{shown}"' in html) if shown else ("data-scheme" not in html)


@pytest.mark.parametrize("path", ["haircut/", "haircut/?scheme=light%20dark", "?scheme=light%20dark&embed=1"])
def test_without_a_color_scheme_of_the_site_no_page_names_one(client: Client, site: Settings, path: str):
    """ "auto" is the default: whoever asks for the visitor's own colors gets the same links as everybody."""
    html = read(client, path)
    assert "data-scheme" not in html
    assert "scheme=" not in html
