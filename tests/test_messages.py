"""What `make messages` does to a language."""

from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po, write_po

from tests.messages import bring_up_to_date
from tests.support.translatable_texts import Text


def test_new_texts_come_old_ones_go_and_words_stay(tmp_path: Path):
    """What has words keeps them, what is asked for newly waits for some, and what nobody asks for is gone."""
    path = tmp_path / "django.po"
    before = Catalog(locale="de")
    before.add("Book", "Buchen")
    before.add(("%(n)s place", "%(n)s places"), ("%(n)s Platz", "%(n)s Plätze"))
    before.add("Fax us", "Faxen Sie uns")
    with path.open("wb") as file:
        write_po(file, before)
    texts = frozenset({Text(None, "Book"), Text(None, "%(n)s place", "%(n)s places"), Text("price", "Free")})
    assert bring_up_to_date(path, texts) == 1
    with path.open("rb") as file:
        after = {message.id: message.string for message in read_po(file) if message.id}
    assert after == {"Book": "Buchen", ("%(n)s place", "%(n)s places"): ("%(n)s Platz", "%(n)s Plätze"), "Free": ""}
    with path.with_suffix(".mo").open("rb") as file:
        assert read_mo(file)["Book"].string == "Buchen"
