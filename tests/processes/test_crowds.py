"""Many who look at once cost Kordless what one does."""

from tests.processes.crowd import Guest, all_at_once, counted
from tests.processes.served import Served


def test_three_hundred_visitors_of_a_cold_service_cost_one_request_each_way(site: Served) -> None:
    """Nobody has asked before; Kordless takes its time. All get the page, and it is asked for once."""
    site.kordless.mischief("slow", "availability", seconds=0.3)
    answers = all_at_once(lambda _: Guest(site.url).open("/book/haircut/"), 300)
    assert counted([answer.status for answer in answers]) == {200: 300}
    asked = counted([request["operation"] for request in site.kordless.requests()])
    assert asked == {"organization": 1, "service": 1, "availability": 1}
