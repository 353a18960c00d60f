"""Memory budgets: several caches have so many bytes together, and the oldest entry of any of them goes first."""

import gc
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.memory_budget import ENTRY_BYTES, BoundedDict, MemoryBudget, text_bytes


def budget_of(entries: float) -> MemoryBudget:
    """Return a budget for so many entries of a thousand bytes."""
    return MemoryBudget(int(entries * (1000 + ENTRY_BYTES)))


def test_the_oldest_entry_of_all_caches_goes_first():
    """A busy account takes what an idle one doesn't need."""
    budget = budget_of(3)
    idle, busy = BoundedDict[str, int](budget), BoundedDict[str, int](budget)
    idle.put("a", 1, 1000)
    for number in range(3):
        busy.put(str(number), number, 1000)
    assert (list(idle), list(busy)) == ([], ["0", "1", "2"])
    assert budget.used_bytes == budget.max_bytes


def test_an_entry_that_is_written_again_is_the_newest():
    """And is charged once, with its new size."""
    budget = budget_of(2)
    cache = BoundedDict[str, int](budget)
    for name in ("a", "b", "a", "c"):
        cache.put(name, 1, 1000)
    assert list(cache) == ["a", "c"]
    cache.put("a", 2, 10)
    assert cache.get("a") == 2
    assert budget.used_bytes == 1010 + 2 * ENTRY_BYTES


def test_what_is_larger_than_the_budget_is_not_stored():
    """It evicts nothing, and the older value of its key is gone."""
    cache = BoundedDict[str, int](budget_of(2))
    for name in ("a", "b"):
        cache.put(name, 1, 1000)
    cache.put("a", 2, 100_000)
    assert list(cache) == ["b"]


def test_a_cache_has_a_number_of_entries_as_well():
    """Small entries have an end too."""
    cache = BoundedDict[int, int](budget_of(100), max_entries=3)
    for number in range(10):
        cache.put(number, number, 0)
    assert list(cache) == [7, 8, 9]


def test_a_cache_that_is_dropped_gives_its_memory_back():
    """Its entries go with it; the budget's charges when they are the oldest."""
    budget = budget_of(2)
    gone = BoundedDict[str, bytes](budget)
    gone.put("a", b"", 1000)
    del gone
    gc.collect()
    cache = BoundedDict[str, bytes](budget)
    for name in ("a", "b"):
        cache.put(name, b"", 1000)
    assert list(cache) == ["a", "b"]
    cache.clear()
    assert budget.used_bytes == 0


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 5000)))),
    st.integers(2000, 20_000),
)
def test_no_sequence_of_writes_exceeds_the_budget(writes: list[tuple[int, str, int | None]], max_bytes: int):
    """What is charged is what is stored, and the newest entries are those that are left. None removes."""
    budget = MemoryBudget(max_bytes)
    caches = [BoundedDict[str, int](budget) for _ in range(3)]
    model: OrderedDict[tuple[int, str], int] = OrderedDict()
    for owner, key, size in writes:
        model.pop((owner, key), None)
        if size is None:
            caches[owner].pop(key)
            continue
        caches[owner].put(key, size, size)
        if size + ENTRY_BYTES <= max_bytes:
            model[owner, key] = size + ENTRY_BYTES
            while sum(model.values()) > max_bytes:
                model.popitem(last=False)
        assert budget.used_bytes == sum(model.values()) <= max_bytes
    assert {(number, key) for number, cache in enumerate(caches) for key in cache} == set(model)


def test_threads_share_a_budget():
    """Whatever they do at once, the sum is right in the end."""
    budget = budget_of(10)
    caches = [BoundedDict[int, int](budget) for _ in range(4)]

    def write(cache: BoundedDict[int, int]) -> None:
        for number in range(500):
            cache.put(number % 30, number, number)
            cache.get(number % 7)
            cache.pop(number % 11)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, caches))
    assert budget.used_bytes <= budget.max_bytes
    for cache in caches:
        cache.clear()
    assert budget.used_bytes == 0


def test_texts_are_measured_as_python_stores_them():
    """A text in Arabic takes two bytes for each character."""
    assert text_bytes("ش" * 1000) > 2000
    assert 1000 < text_bytes("a" * 1000) < 1100
    assert text_bytes(("a" * 1000, ("b" * 1000,))) > 2000
    shared = "c" * 1000
    assert text_bytes([(shared, str), (shared, dict)]) < 1500
