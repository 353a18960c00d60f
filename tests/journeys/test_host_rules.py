"""Rules that a host's style sheet has for plain elements, as Tailwind, Pico and Bootstrap have them."""

from playwright.sync_api import Page

from tests.journeys import booking_steps
from tests.journeys.demo import Demo

RULES = (
    # Tailwind's preflight takes the looks of elements away.
    "*, ::before, ::after { margin: 0; padding: 0; border: 0 solid }",
    "h1, h2, h3 { font-size: inherit; font-weight: inherit }",
    "a { color: inherit; text-decoration: inherit }",
    "button, input, select, textarea { border-radius: 0; background-color: transparent; opacity: 1 }",
    # Bootstrap gives them others.
    "h1, h2, h3 { margin-bottom: .5rem; line-height: 1.2; color: #123456 }",
    "p, ul, ol, dl { margin-bottom: 1rem } ",
    "ul, ol { padding-left: 2rem }",
    "dt { font-weight: 700 }",
    # Pico gives them many.
    "ul li { list-style: square; margin-bottom: 4px }",
    "section { margin-bottom: 1rem }",
    "nav, nav ol, nav ul { display: flex } ",
    "nav ol:first-of-type { margin-left: -8px }",
    "nav li { display: inline-block; padding: 1rem .5rem }",
    "nav li::before { content: '-' }",
    "nav li a { margin: -8px; padding: 8px }",
    "ul, ol, dl, table, form, details { color: #373c44 }",
    "h1, h2, h3 { font-family: fantasy }",
    "label { display: block; margin-bottom: 6px; font-weight: 400 }",
    "input:not([type=checkbox], [type=radio]), select, textarea { appearance: none; margin-bottom: 1rem; width: 100% }",
    "[type=submit], button { margin-bottom: 1rem; padding: 12px 16px; border: 1px solid; background: #0172ad }",
    "details summary { line-height: 1rem; margin-bottom: 16px }",
    "details summary::after { background: url(data:,); float: right; content: '+' }",
    "[role=search] { display: inline-flex; width: 100% }",
)
PROPERTIES = (
    "color", "backgroundColor", "backgroundImage", "display", "fontFamily", "fontSize", "fontWeight", "lineHeight",
    "listStyleType", "marginTop", "marginBottom", "marginLeft", "marginRight", "paddingTop", "paddingBottom",
    "paddingLeft", "paddingRight", "textDecorationLine", "borderTopWidth", "borderTopColor", "opacity",
)  # fmt: skip
STYLES = """(properties) => [...document.querySelectorAll(".kb-stage :not(svg *, .kb-sr)")].map((element) => {
  const style = getComputedStyle(element);
  const own = properties.map((name) => `${name}: ${style[name]}`);
  const before = getComputedStyle(element, "::before").content, after = getComputedStyle(element, "::after").content;
  return [`${element.tagName} ${element.getAttribute("class")}`, ...own, `before: ${before}`, `after: ${after}`];
})"""


def styles(page: Page) -> list[list[str]]:
    """Return the computed styles of each element of the widget."""
    found: list[list[str]] = page.evaluate(STYLES, PROPERTIES)
    return found


def changes(before: list[list[str]], after: list[list[str]]) -> list[str]:
    """Return what has changed, by element."""
    assert len(before) == len(after)
    return [
        f"{name}: {was} is {now}"
        for (name, *old), (_name, *new) in zip(before, after, strict=True)
        for was, now in zip(old, new, strict=True)
        if was != now
    ]


def test_a_hosts_rules_for_plain_elements_change_nothing(page: Page, shared_demo: Demo):
    """Links keep their lines, lists have no bullets, and buttons, fields and terms their looks, on each step."""
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    found: dict[str, list[str]] = {}
    for path in ("", "haircut/", "haircut/zone/", "contact", "manage/"):
        if path == "contact":
            page.goto(f"{shared_demo.url}/book/haircut/")
            booking_steps.to_contact(page)
        else:
            page.goto(f"{shared_demo.url}/book/{path}")
        booking_steps.loaded(page)
        page.locator(":focus").evaluate_all("all => all.forEach((one) => one.blur())")
        before = styles(page)
        # Before the widget's own rules, as a host's own style sheet is; a policy forbids a <style>.
        page.evaluate(
            "(rules) => rules.reverse().forEach((rule) => document.styleSheets[0].insertRule(rule))", list(RULES)
        )
        found[path or "services"] = changes(before, styles(page))
    assert not any(found.values()), found
