"""Arguments of the tag: whatever a template gives, what is left is safe to show and to link, or an error."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.booking.choices import Choices
from kordless_booking.views.request import _INLINE_STAGE, FOUND_SUFFIX, QUERY_PREFIX, Embedding
from kordless_booking.views.tag_arguments import (
    ARGUMENTS,
    MAX_NAME,
    InvalidArgument,
    PageWidgets,
    parse_choice,
    parse_name,
    parse_width,
    query_prefix,
    stage_id,
)

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
NAMES = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True)


@given(
    name=st.sampled_from(ARGUMENTS), value=ANYTHING | st.sampled_from(["light", "#1f6f5c", "de", "UTC", "salon", "7"])
)
def test_an_argument_sets_what_a_link_can_carry_or_is_refused(name: str, value: Any):
    """What an argument sets comes back from the query of the widget's links, so no page loses it."""
    try:
        fields = parse_choice(name, value)
    except InvalidArgument as error:
        fields, named = {}, error.argument
    else:
        named = name
    assert named == name
    choices = Choices(**fields)
    assert Choices.from_query(dict(choices.query_items()), ["de", "en"]) == choices


@given(value=ANYTHING)
def test_a_width_is_one_length_or_refused(value: Any):
    """Nothing that is put into a style sheet has a semicolon, a brace or a space."""
    try:
        width = parse_width(value)
    except InvalidArgument:
        return
    assert not {*width} & {*";{}() \\/*:"}


@given(wanted=st.lists(NAMES, max_size=12))
def test_each_widget_of_a_page_gets_a_name_of_its_own(wanted: list[str]):
    """No two widgets of a page share an id, whatever names a template gives them."""
    widgets = PageWidgets()
    names = [widgets.claim_name(parse_name(name)) for name in wanted]
    assert len({*names}) == len(names)


@pytest.mark.parametrize("name", ["", None])
def test_the_first_widget_reads_the_plain_prefix(name: str | None):
    """A name that isn't given is that of the first widget."""
    assert query_prefix(parse_name(name)) == QUERY_PREFIX


@pytest.mark.parametrize("name", ["a" * (MAX_NAME + 1), "-a", "a-", "a--b", "A", "a_b", "\u0661", 7])
def test_a_name_that_fits_into_no_id_is_refused(name: object):
    """The name stands in ids and in the names of the query."""
    with pytest.raises(InvalidArgument):
        parse_name(name)


@given(query=st.dictionaries(st.text() | st.sampled_from(["month", "kb-month", "kb-a-month", "kb-embed"]), st.text()))
def test_a_page_keeps_its_query_for_itself(query: dict[str, str]):
    """Of any query, a widget gets names with its own prefix, and none that frames it or leads elsewhere."""
    found = Embedding(stage_id="kb-inline-a", query_prefix=query_prefix("a")).read_query(query)
    assert all(query[f"kb-a-{name}"] == value for name, value in found.items())
    assert not {"embed", "thanks"} & {*found}


PARTS = ["-month", "-day", "-q", "-form-input", "-next", "-2", "-first_name", FOUND_SUFFIX]


@given(names=st.lists(NAMES | st.sampled_from(["a", "a-month", "a-month-day", "a-2"]), min_size=1, max_size=5))
def test_widgets_share_no_id_whatever_their_names_are(names: list[str]):
    """Neither their stages nor parts of these: a widget may be called as a part of another one is."""
    widgets = PageWidgets()
    stages = [stage_id(widgets.claim_name(name)) for name in names]
    ids = [f"{stage}{part}" for stage in stages for part in ["", *PARTS]]
    assert len(ids) == len(set(ids))
    assert all(_INLINE_STAGE.fullmatch(stage) for stage in stages)


@pytest.mark.parametrize("name", ["a" * MAX_NAME, "a-" * (MAX_NAME // 2 - 1) + "ab"])
def test_the_longest_name_of_a_widget_has_a_stage_that_requests_may_name(name: str):
    """Also with a number behind it, for the second of that name."""
    assert _INLINE_STAGE.fullmatch(stage_id(parse_name(name)))
    assert _INLINE_STAGE.fullmatch(stage_id(f"{parse_name(name)}-12"))
