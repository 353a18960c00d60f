"""The widget on another site in Firefox, beyond that it books: how high it is, the keyboard, and who is believed."""

from collections.abc import Iterator
from time import monotonic
from urllib.parse import urlencode

import pytest

from tests.journeys.conftest import FIREFOX
from tests.journeys.embedding_pages import Elsewhere
from tests.journeys.firefox import PATIENCE_SECONDS, Firefox, firefox
from tests.journeys.form_style import check_that_a_form_brings_its_style
from tests.journeys.strict_hosts import DIALOGS

pytestmark = [pytest.mark.firefox, pytest.mark.matrix]
FOCUS = "(document.activeElement.closest('dialog') ?? document.activeElement).localName"


@pytest.fixture(scope="module")
def elsewhere(strict_elsewhere: Elsewhere) -> Elsewhere:
    """The site of this module is the strict one."""
    return strict_elsewhere


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Firefox without cookies of third parties."""
    assert FIREFOX
    with firefox(FIREFOX, tmp_path_factory.mktemp("firefox"), cookies="blocked", scripts=True) as visitor:
        visitor.resize(1280, 900)
        yield visitor


def page(elsewhere: Elsewhere, mode: str, **attributes: str) -> str:
    """The host's page with the haircut on it."""
    return f"{elsewhere.url}/?{urlencode({'mode': mode, 'link': 'Haircut', **attributes})}"


def settled(visitor: Firefox) -> int:
    """The height of the frame, once it is that of its content; nothing in it can be scrolled then."""
    visitor.evaluate("""new Promise((done) => {
      const look = () =>
        receivedEvents.some(({ name }) => name === "resize") ? requestAnimationFrame(done) : setTimeout(look, 20);
      look();
    })""")
    inner = "[innerWidth, Math.ceil(document.body.getBoundingClientRect().height)]"
    outer = "(({ clientWidth, clientHeight }) => [clientWidth, clientHeight])(document.querySelector('iframe'))"
    give_up = monotonic() + PATIENCE_SECONDS
    # The width too: until the inside has heard of a new one, its height is an old one.
    while (sizes := visitor.evaluate(outer)) != visitor.evaluate(inner, "Haircut"):
        assert monotonic() < give_up, (sizes, visitor.evaluate(inner, "Haircut"))
    height = sizes[1]
    root = "document.documentElement"
    assert visitor.evaluate(f"{root}.scrollHeight - {root}.clientHeight", "Haircut") <= 0
    assert visitor.evaluate(f"{root}.scrollWidth - {root}.clientWidth", "Haircut") <= 0
    return int(height)


def test_the_frame_is_as_high_as_its_content(visitor: Firefox, elsewhere: Elsewhere):
    """It shrinks and grows with the steps and with the width, and comes to rest."""
    with visitor.tab(page(elsewhere, "inline")):
        visitor.see(".kb-time", "Haircut")
        times = settled(visitor)
        visitor.click(".kb-time", "Haircut")
        visitor.see('[data-kb-step="contact"]', "Haircut")
        form = settled(visitor)
        visitor.click("form[method=post] .kb-primary", "Haircut")
        visitor.see("[aria-invalid=true]", "Haircut")
        wrong = settled(visitor)
        assert times > form < wrong
        visitor.resize(500, 900)
        try:
            visitor.wait_for("innerWidth <= 500")
            assert settled(visitor) > wrong
            resizes = "receivedEvents.filter(({ name }) => name === 'resize').length"
            for _ in range(10):  # the last message may be on its way yet
                before = visitor.evaluate(resizes)
                after = visitor.evaluate(f"new Promise((done) => setTimeout(() => done({resizes}), 400))")
                if before == after:
                    break
            assert before == after <= 12
        finally:
            visitor.resize(1280, 900)
        assert visitor.complaints() == []


def test_the_dialog_by_keyboard(visitor: Firefox, elsewhere: Elsewhere):
    """Enter opens it, Tab stays in it, Escape closes it from everywhere inside, and the focus returns."""
    with visitor.tab(page(elsewhere, "popup")):
        visitor.evaluate(DIALOGS)
        visitor.evaluate("document.querySelector('a').focus()")
        visitor.press("Enter")
        visitor.see(".kb-time", "Haircut")
        settled(visitor)
        for _ in range(6):
            visitor.press("Tab")
            assert visitor.evaluate(FOCUS) in {"dialog", "body"}
        assert visitor.evaluate("getComputedStyle(document.documentElement).overflowY") == "hidden"
        visitor.press("Escape")
        visitor.wait_for("!document.querySelector('dialog').open")
        visitor.wait_for(f"{FOCUS} === 'a'")
        visitor.press("Enter")
        visitor.see(".kb-time", "Haircut")
        visitor.evaluate("document.querySelector('.kb-time').focus()", "Haircut")
        visitor.press("Escape")
        visitor.wait_for("!document.querySelector('dialog').open")
        visitor.wait_for(f"{FOCUS} === 'a'")
        visitor.wait_for("receivedEvents.filter(({ name }) => name === 'closed').length >= 2")
        assert visitor.evaluate("receivedEvents.filter(({ name }) => name === 'closed').length") == 2
        assert visitor.evaluate("getComputedStyle(document.documentElement).overflowY") == "visible"
        assert visitor.complaints() == []


@pytest.mark.parametrize("trust", ["nonce", "strict-dynamic"])
def test_the_dialog_comes_under_a_policy_with_a_nonce(visitor: Firefox, elsewhere: Elsewhere, trust: str):
    """The second file, which the loader imports, is trusted as the loader is."""
    with visitor.tab(page(elsewhere, "popup", trust=trust)):
        visitor.evaluate(DIALOGS)
        visitor.click("a")
        visitor.see(".kb-time", "Haircut")
        assert visitor.evaluate("refused") == []
        assert visitor.complaints() == []


@pytest.mark.parametrize("place", ["page", "frame", "inline"])
def test_back_and_forward_keep_what_was_typed(visitor: Firefox, elsewhere: Elsewhere, place: str):
    """The steps come back without loading a page anew, on the widget's own page, in a frame and in a host's page."""
    frame = "Haircut" if place == "frame" else ""
    addresses = {"page": f"{elsewhere.book}haircut/", "frame": page(elsewhere, "inline"), "inline": elsewhere.demo.url}
    with visitor.tab(addresses[place]):
        if place == "inline":
            visitor.click('.kb-service a[href*="/haircut/"]')
        visitor.click(".kb-time", frame)
        visitor.see('[data-kb-step="contact"]', frame)
        visitor.fill("[name=name]", "Ada Lovelace", frame)
        visitor.evaluate("history.back()")
        visitor.see('[data-kb-step="slot"]', frame)
        visitor.evaluate("history.forward()")
        visitor.see('[data-kb-step="contact"]', frame)
        visitor.wait_for("document.querySelector('[name=name]').value === 'Ada Lovelace'", frame)


def test_a_form_brings_its_style(visitor: Firefox, elsewhere: Elsewhere):
    """Where nothing has loaded it before, the sheet of later steps comes with the form, and its rules apply."""
    check_that_a_form_brings_its_style(visitor, elsewhere.book)


def test_a_click_after_a_look_asks_nothing_more(visitor: Firefox, elsewhere: Elsewhere):
    """The form comes from the cache, and is reported when the tab is left; Back brings the whole page."""
    visitor.forget_pages_at_once()
    contact_requests = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/contact/'))"
    with visitor.tab(f"{elsewhere.book}haircut/?tz=America/New_York"):
        visitor.see(".kb-js .kb-time")
        visitor.evaluate(f"""new Promise((done) => {{
          document.querySelector(".kb-time").dispatchEvent(new PointerEvent("pointerdown", {{ bubbles: true }}));
          const look = () => {contact_requests}.length ? done() : setTimeout(look, 20);
          look();
        }})""")
        visitor.click(".kb-time")
        visitor.see('[data-kb-step="contact"]')
        sent = f"{contact_requests}.filter(({{ transferSize }}) => transferSize > 0)"
        assert visitor.evaluate(f"{sent}.length") == 1
        visitor.evaluate(f"""new Promise((done) => {{
          Object.defineProperty(document, "hidden", {{ configurable: true, value: true }});
          document.dispatchEvent(new Event("visibilitychange"));
          const look = () => {sent}.length > 1 ? done() : setTimeout(look, 20);
          look();
        }})""")
        # The pointer on its way to the click may prefetch once more, from the cache.
        assert visitor.evaluate(f"{sent}.map((one) => one.initiatorType)") == ["fetch", "fetch"]
        assert (
            visitor.evaluate(
                f"{contact_requests}.filter(({{ initiatorType }}) => initiatorType === 'xmlhttprequest').length"
            )
            == 1
        )
        visitor.evaluate("location.assign('/book/manage/')")
        visitor.see('[data-kb-step="find"]')
        visitor.evaluate("history.back()")
        visitor.see('[data-kb-step="contact"]')
        assert visitor.evaluate("!!document.querySelector('head link[rel=stylesheet]')")


def test_strange_messages_are_ignored_both_ways(visitor: Firefox, elsewhere: Elsewhere):
    """The page heeds only its frame, the frame only its page, each by window and by origin."""
    with visitor.tab(page(elsewhere, "inline")):
        visitor.click(".kb-time", "Haircut")
        visitor.see('[data-kb-step="contact"]', "Haircut")
        height = settled(visitor)
        height_of_its_own = "{ kordless: 'resize', detail: { height: 9999 } }"
        lies = f"[{height_of_its_own}, {{ kordless: 'booked', detail: {{}} }}, null, 'kordless', 7]"
        visitor.evaluate(
            f"""new Promise((done) => {{
              const ours = document.querySelector("iframe").contentWindow;
              const say = (data, origin, source) =>
                window.dispatchEvent(new MessageEvent("message", {{ data, origin, source }}));
              for (const lie of {lies}) {{
                window.postMessage(lie, "*");
                say(lie, "{elsewhere.demo.url}", window);
                say(lie, "https://evil.example", ours);
              }}
              setTimeout(done, 200);
            }})"""
        )
        assert settled(visitor) == height
        assert visitor.evaluate("receivedEvents.filter(({ name }) => name === 'booked').length") == 0
        visitor.evaluate(
            f"""new Promise((done) => {{
              const data = {{ kordless: "hello", detail: {{ prefillName: "Mallory" }} }};
              const say = (origin, source) =>
                window.dispatchEvent(new MessageEvent("message", {{ data, origin, source }}));
              window.postMessage(data, "*");
              say("https://evil.example", parent);
              say("{elsewhere.url}.evil.example", parent);
              say("{elsewhere.url}", window);
              setTimeout(done, 100);
            }})""",
            "Haircut",
        )
        assert visitor.evaluate("document.querySelector('[name=name]').value", "Haircut") == ""
        assert visitor.complaints() == []


def test_prefilled_by_message(visitor: Firefox, elsewhere: Elsewhere):
    """Values from the host fill the form unless they are invalid, and appear in no URL."""
    known = {"prefill-name": "Grace Hopper", "prefill-email": "not an address"}
    with visitor.tab(page(elsewhere, "inline", **known)):
        visitor.click(".kb-time", "Haircut")
        visitor.see('[data-kb-step="contact"]', "Haircut")
        visitor.wait_for("document.querySelector('[name=name]').value === 'Grace Hopper'", "Haircut")
        assert visitor.evaluate("document.querySelector('[name=email]').value", "Haircut") == ""
        assert "Grace" not in visitor.evaluate("location.href", "Haircut")


def test_an_isolated_page_may_embed(visitor: Firefox, elsewhere: Elsewhere):
    """Script and frame say what a page with COOP and COEP wants to hear."""
    with visitor.tab(page(elsewhere, "inline", isolated="1")):
        visitor.click(".kb-time", "Haircut")
        visitor.see('[data-kb-step="contact"]', "Haircut")
        assert visitor.evaluate("self.crossOriginIsolated") is True
        assert visitor.complaints() == []
