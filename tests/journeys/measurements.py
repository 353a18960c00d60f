"""Measurements of a page in the browser: target sizes, text that is clipped or overflows, visibility of the focus."""

from __future__ import annotations

from playwright.sync_api import Page

SHOWN = """
const shown = (e) => e.checkVisibility({ checkVisibilityCSS: true }) && !e.closest(".kb-sr, [aria-hidden=true]");
"""


def too_small(page: Page, least: int) -> list[str]:
    """Everything that can be pressed and is smaller than `least` CSS pixels in one direction."""
    found: list[str] = page.evaluate(
        f"""(least) => {{ {SHOWN}
          const targets = ".kb :is(a[href], button, input:not([type=hidden]), select, textarea)";
          return [...document.querySelectorAll(targets)].filter(shown).map((e) => {{
            const {{ width, height }} = (e.closest(".kb-service") || e).getBoundingClientRect();
            const name = e.ariaLabel || e.textContent.trim() || e.name;
            return Math.min(width, height) < least - .01 ? `${{name}}: ${{width.toFixed()}}x${{height.toFixed()}}` : "";
          }}).filter(Boolean);
        }}""",
        least,
    )
    return found


def cut_off(page: Page) -> list[str]:
    """Text that a visitor can't read whole: beyond the page, cut by its box, or beyond the button that it stands on."""
    found: list[str] = page.evaluate(
        f"""() => {{ {SHOWN}
          const words = document.createTreeWalker(document.querySelector(".kb"), NodeFilter.SHOW_TEXT);
          const range = document.createRange(), wide = document.documentElement.clientWidth, found = [];
          while (words.nextNode()) {{
            const node = words.currentNode, text = node.data.trim().slice(0, 40);
            if (!text || node.parentElement.closest("noscript, script, option") || !shown(node.parentElement)) continue;
            range.selectNodeContents(node);
            for (const {{ width, left, right, bottom }} of range.getClientRects()) {{
              if (!width) continue;
              if (left < -1 || right > wide + 1) found.push("beyond the page: " + text);
              for (let box = node.parentElement; box !== document.body; box = box.parentElement) {{
                const style = getComputedStyle(box), edge = box.getBoundingClientRect();
                const solid = box.matches(".kb-time, .kb-day, .kb-button, .kb-turn");
                const over = left < edge.left - 1 || right > edge.right + 1;
                // What can be scrolled there isn't cut off.
                if (!solid && over && style.overflowX === "auto") break;
                const across = (solid || style.overflowX !== "visible") && over;
                const down = (solid || style.overflowY === "hidden") && bottom > edge.bottom + 2;
                if (across || down) found.push("cut off: " + text);
              }}
            }}
          }}
          return [...new Set(found)];
        }}"""
    )
    return found


def focus_is_seen(page: Page) -> bool:
    """Return True if the focused element has an outline, is in view, and is not covered by anything."""
    return bool(
        page.evaluate(
            """() => {
              const e = document.activeElement, card = e.closest(".kb-service");
              const ring = [getComputedStyle(e), getComputedStyle(e, "::after")].some(
                ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth) >= 2);
              const { left, top, width, height } = e.getClientRects()[0];
              const at = document.elementFromPoint(left + width / 2, top + height / 2);
              return ring && (e.contains(at) || !!card?.contains(at));
            }"""
        )
    )
