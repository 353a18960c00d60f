"""What one page reads, and whether it would read the same again."""

import pytest

from kordless_booking.exceptions import KeyRefused
from kordless_booking.upstream.request_view import RequestView, invalidation_count
from tests.upstream.test_read_through import Scene


@pytest.fixture
def scene() -> Scene:
    """A cache shared by processes on a clock in our hands."""
    return Scene()


def test_a_page_reads_a_thing_once(scene: Scene):
    """Even when a new value arrives meanwhile: a page should not contradict itself."""
    reading = RequestView(scene.process())
    assert reading.read(scene.item).value == 1
    scene.process().invalidate("slots", "haircut")
    assert scene.process().read(scene.item).value == 2
    scene.time.pass_(2)
    assert reading.read(scene.item).value == 1


def test_what_was_looked_for_together_is_read_without_asking(scene: Scene):
    """One round trip for all of it, whatever the process remembers by itself."""
    items = [scene.named("slots", "haircut", month) for month in ("2026-12", "2027-01")]
    for item in items:
        scene.process().read(item)
    reading, before = RequestView(scene.process()), scene.memory.trips
    reading.lookup(*items)
    assert [reading.read(item).value for item in items] == [1, 2]
    reading.lookup(*items)
    assert scene.memory.trips == before + 1


def test_it_still_holds_until_something_new_was_fetched(scene: Scene):
    """Nothing is fetched to find out, and a refresh that is due is begun."""
    shelf = scene.process()
    reading = RequestView(shelf)
    reading.read(scene.item)
    as_read = reading.snapshot()
    assert as_read.is_current()
    scene.time.pass_(16)
    assert not as_read.is_current(), "it is stale now"
    calls = scene.source.calls
    scene.time.pass_(400)
    assert not as_read.is_current()
    assert scene.source.calls == calls


def test_it_does_not_hold_when_another_process_fetched_anew(scene: Scene):
    """Forgotten there, and fetched again: another value, though it may look the same."""
    reading = RequestView(scene.process())
    reading.read(scene.item)
    as_read, other = reading.snapshot(), scene.process()
    other.invalidate("slots", "haircut")
    other.read(scene.item)
    scene.time.pass_(2)
    assert not as_read.is_current()


def test_it_does_not_hold_once_the_key_is_refused(scene: Scene):
    """A closed account shows nothing any more."""
    reading = RequestView(scene.process())
    reading.read(scene.item)
    as_read = reading.snapshot()
    scene.process().mark_key_refused(KeyRefused(operation="create"))
    scene.time.pass_(2)
    assert not as_read.is_current()


def test_a_page_that_forgets_reads_anew_and_says_so_to_its_process(scene: Scene):
    """Whoever books sees it at once."""
    reading, before = RequestView(scene.process()), invalidation_count()
    assert reading.read(scene.item).value == 1
    reading.invalidate("slots", "haircut")
    assert invalidation_count() == before + 1
    assert reading.read(scene.item).value == 2
    reading.mark_key_refused(KeyRefused(operation="create"))
    assert invalidation_count() == before + 2
    with pytest.raises(KeyRefused):
        reading.read(scene.item)


def test_at_hand_nothing_is_ever_begun(scene: Scene):
    """A guess costs Kordless nothing."""
    assert not RequestView(scene.process(), at_hand=True).needs_fetch(scene.item)
    assert RequestView(scene.process()).needs_fetch(scene.item)


def test_what_is_begun_need_not_be_begun_again(scene: Scene):
    """It is read as it came."""
    reading = RequestView(scene.process())
    reading.start_fetch(scene.item)
    assert not reading.needs_fetch(scene.item)
    assert reading.read(scene.item).value == 1
    assert not reading.needs_fetch(scene.item)
    assert scene.source.calls == 1


def test_what_comes_while_a_page_waits_need_not_be_fetched(scene: Scene):
    """Somebody else had begun it: it was missing when the page looked for it, and lies there when it is needed."""
    december, january = (scene.named("slots", "haircut", month) for month in ("2026-12", "2027-01"))
    reading, other = RequestView(scene.process()), scene.process()
    reading.lookup(december, january)
    scene.source.meanwhile = lambda: setattr(scene.source, "meanwhile", lambda: None) or other.read(january)
    reading.read(december)
    assert not reading.needs_fetch(january)


def test_what_another_page_has_begun_need_not_be_fetched(scene: Scene):
    """It is joined when it is needed."""
    jobs: list[object] = []
    shelf = scene.process(run=lambda job: jobs.append(job) is None)
    shelf.read(scene.item)
    scene.time.pass_(20)
    shelf.read(scene.item)  # a refresh waits for a thread
    scene.time.pass_(400)
    assert jobs
    assert not RequestView(shelf).needs_fetch(scene.item)
