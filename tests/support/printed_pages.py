"""Reader of the PDFs that Chromium prints: how many pages they have, and the text that somebody reads on them.

No reader of PDFs in general: it knows how Skia, Chromium's own writer, writes text (glyph numbers in compressed
streams, with a map to Unicode for each font).
"""

from __future__ import annotations

import re
import unicodedata
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_TEXT = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> ?Tj")
_ONE = re.compile(r"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>\n")
_RANGE = re.compile(r"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>\n")


def count_pages(pdf: bytes) -> int:
    """Return the number of pages."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def read_text(pdf: bytes) -> str:
    """Return the text of all pages without any space: between two runs of glyphs there is none in the file."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {
        name.decode(): _glyph_map(objects, int(number))
        for body in objects.values()
        for names in re.findall(rb"/Font\s*<<(.*?)>>", body, re.DOTALL)
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", names)
    }
    pages = [int(number) for body in objects.values() for number in re.findall(rb"/Contents (\d+) 0 R", body)]
    found, glyphs = [], {}
    for page in pages:
        for font, run in _TEXT.findall(_unpacked(objects[page])):
            if font:
                glyphs = fonts[font.decode()]
            found += [glyphs.get(int(run[at : at + 4], 16), "?") for at in range(0, len(run), 4)]
    # NFKC: a ligature such as that of "fi" is one character.
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", "".join(found)))


def _glyph_map(objects: dict[int, bytes], font: int) -> dict[int, str]:
    """Return the character, or characters, of each glyph number of a font."""
    reference = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    if reference is None:
        return {}
    text = _unpacked(objects[int(reference[1])]).decode("latin-1")
    glyphs = {}
    for section in re.findall(r"beginbfchar\n(.*?)endbfchar", text, re.DOTALL):
        for glyph, character in _ONE.findall(section):
            glyphs[int(glyph, 16)] = _character(character)
    for section in re.findall(r"beginbfrange\n(.*?)endbfrange", text, re.DOTALL):
        for first, last, character in _RANGE.findall(section):
            for number in range(int(first, 16), int(last, 16) + 1):
                glyphs[number] = chr(int(character, 16) + number - int(first, 16))
    return glyphs


def _character(code: str) -> str:
    return bytes.fromhex(code).decode("utf-16-be")


def _unpacked(body: bytes) -> bytes:
    stream = _STREAM.search(body)
    assert stream is not None
    return zlib.decompress(stream[1]) if b"/FlateDecode" in body else stream[1]
