"""Query in the key of a stored page: what the page reads, in whatever spelling, and nothing else."""

from django.http import QueryDict
from django.test import RequestFactory
from django.urls import resolve
from hypothesis import example, given
from hypothesis import strategies as st

from kordless_booking.views.response_cache import READ_NAMES, cache_key

names = st.one_of(st.sampled_from(sorted(READ_NAMES)), st.text("tz%47aq+ &;", max_size=6))
values = st.text("Aa1/%2B+&=;é", max_size=8)
queries = st.lists(st.tuples(names, values), max_size=6).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)


def key_query(query: str) -> str:
    """Return the query that is in the key of a request's page."""
    request = RequestFactory().get("/book/haircut/")
    request.META["QUERY_STRING"] = query
    request.resolver_match = resolve(request.path)
    found = cache_key(request)[2]
    assert isinstance(found, str)
    return found


@given(queries)
@example("%74z=Asia/Tokyo&utm_source=a")
@example("tz=a&gclid=1&tz=b")
@example("&&=&tz")
def test_a_page_reads_the_same_from_the_query_in_its_key(query: str) -> None:
    """Escaped, repeated, empty and broken pairs included: Django reads the same values of each name from both."""
    whole, short = QueryDict(query), QueryDict(key_query(query))
    for name in READ_NAMES:
        assert whole.getlist(name) == short.getlist(name)


@given(queries, st.sampled_from(["gclid=1", "fbclid=IwAR%30", "utm_source=a+b", "_ga", "=1"]), st.integers(0, 6))
def test_a_name_that_no_page_reads_is_in_no_key(query: str, landing: str, place: int) -> None:
    """Wherever it stands in the query."""
    pairs = query.split("&") if query else []
    assert key_query("&".join([*pairs[:place], landing, *pairs[place:]])) == key_query(query)
