"""What one page reads, and whether it would read the same again."""

import pytest

from kordless_booking.exceptions import KeyRefused
from kordless_booking.upstream.request_view import Reading, changes
from tests.upstream.test_read_through import Scene


@pytest.fixture
def scene() -> Scene:
    """A cache shared by processes on a clock in our hands."""
    return Scene()


def test_a_page_reads_a_thing_once(scene: Scene):
    """Even when a new value arrives meanwhile: a page should not contradict itself."""
    reading = Reading(scene.process())
    assert reading.read(scene.item).value == 1
    scene.process().forget("slots", "haircut")
    assert scene.process().read(scene.item).value == 2
    scene.time.pass_(2)
    assert reading.read(scene.item).value == 1


def test_what_was_looked_for_together_is_read_without_asking(scene: Scene):
    """One round trip for all of it, whatever the process remembers by itself."""
    items = [scene.named("slots", "haircut", month) for month in ("2026-12", "2027-01")]
    for item in items:
        scene.process().read(item)
    reading, before = Reading(scene.process()), scene.memory.trips
    reading.look(*items)
    assert [reading.read(item).value for item in items] == [1, 2]
    reading.look(*items)
    assert scene.memory.trips == before + 1


def test_it_still_holds_until_something_new_was_fetched(scene: Scene):
    """Nothing is fetched to find out, and a refresh that is due is begun."""
    shelf = scene.process()
    reading = Reading(shelf)
    reading.read(scene.item)
    as_read = reading.as_read()
    assert as_read.still()
    scene.time.pass_(16)
    assert not as_read.still(), "it is stale now"
    calls = scene.source.calls
    scene.time.pass_(400)
    assert not as_read.still()
    assert scene.source.calls == calls


def test_it_does_not_hold_when_another_process_fetched_anew(scene: Scene):
    """Forgotten there, and fetched again: another value, though it may look the same."""
    reading = Reading(scene.process())
    reading.read(scene.item)
    as_read, other = reading.as_read(), scene.process()
    other.forget("slots", "haircut")
    other.read(scene.item)
    scene.time.pass_(2)
    assert not as_read.still()


def test_it_does_not_hold_once_the_key_is_refused(scene: Scene):
    """A closed account shows nothing any more."""
    reading = Reading(scene.process())
    reading.read(scene.item)
    as_read = reading.as_read()
    scene.process().refuse(KeyRefused(operation="create"))
    scene.time.pass_(2)
    assert not as_read.still()


def test_a_page_that_forgets_reads_anew_and_says_so_to_its_process(scene: Scene):
    """Whoever books sees it at once."""
    reading, before = Reading(scene.process()), changes()
    assert reading.read(scene.item).value == 1
    reading.forget("slots", "haircut")
    assert changes() == before + 1
    assert reading.read(scene.item).value == 2
    reading.refuse(KeyRefused(operation="create"))
    assert changes() == before + 2
    with pytest.raises(KeyRefused):
        reading.read(scene.item)


def test_at_hand_nothing_is_ever_begun(scene: Scene):
    """A guess costs Kordless nothing."""
    assert not Reading(scene.process(), at_hand=True).must_fetch(scene.item)
    assert Reading(scene.process()).must_fetch(scene.item)


def test_what_is_begun_need_not_be_begun_again(scene: Scene):
    """It is read as it came."""
    reading = Reading(scene.process())
    reading.begin(scene.item)
    assert not reading.must_fetch(scene.item)
    assert reading.read(scene.item).value == 1
    assert not reading.must_fetch(scene.item)
    assert scene.source.calls == 1


def test_what_comes_while_a_page_waits_need_not_be_fetched(scene: Scene):
    """Somebody else had begun it: it was missing when the page looked for it, and lies there when it is needed."""
    december, january = (scene.named("slots", "haircut", month) for month in ("2026-12", "2027-01"))
    reading, other = Reading(scene.process()), scene.process()
    reading.look(december, january)
    scene.source.meanwhile = lambda: setattr(scene.source, "meanwhile", lambda: None) or other.read(january)
    reading.read(december)
    assert not reading.must_fetch(january)


def test_what_another_page_has_begun_need_not_be_fetched(scene: Scene):
    """It is joined when it is needed."""
    jobs: list[object] = []
    shelf = scene.process(run=lambda job: jobs.append(job) is None)
    shelf.read(scene.item)
    scene.time.pass_(20)
    shelf.read(scene.item)  # a refresh waits for a thread
    scene.time.pass_(400)
    assert jobs
    assert not Reading(shelf).must_fetch(scene.item)
