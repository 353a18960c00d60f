"""Plans of the queries that code under test really sends, and what each of them reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client

_EXPLAINED = re.compile(r"\s*(SELECT|UPDATE|DELETE)\b")
_ACCOUNT_ALONE = re.compile(r"\(\(?account\)?(?:::text)? = '[^']*'(?:::text)?\)")
OURS = ("kordless_booking_", "kordless_customers_")
"""Beginnings of the names of our tables."""
MAX_PAGE_STEPS = 1_600_000
"""Steps of all queries of one page of the admin on tables of 100,000 rows: sixteen for each row of one."""
_STEPS = 1000
"""Steps of SQLite's virtual machine between two counts."""


@dataclass
class PlannedQuery:
    """Query with its plan."""

    sql: str
    plan: list[str]
    """SQLite's lines, or PostgreSQL's nodes."""
    scans: list[str]
    """Lines that read a whole table, or all rows of an account."""
    steps: int = 0
    """Work of SQLite for it, in steps of its virtual machine; 0 on another database."""

    def __str__(self) -> str:
        return "\n    ".join([self.sql[:600], *self.plan, f"{self.steps} steps"])


@dataclass
class QueryPlans:
    """All queries of a context about our tables."""

    queries: list[PlannedQuery] = field(default_factory=list)

    @property
    def scanning(self) -> list[PlannedQuery]:
        """Those that read a whole table."""
        return [query for query in self.queries if query.scans]

    def costing(self, steps: int) -> list[PlannedQuery]:
        """Those that cost SQLite more than so many steps."""
        return [query for query in self.queries if query.steps > steps]


@contextmanager
def planned_queries() -> Iterator[QueryPlans]:
    """Explain each SELECT, UPDATE and DELETE of this thread's connection, just before it is executed."""
    plans = QueryPlans()
    explaining = False

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal explaining
        if explaining or many or not any(prefix in sql for prefix in OURS) or not _EXPLAINED.match(sql):
            return execute(sql, params, many, context)
        explaining = True
        try:
            query = _explain(sql, params)
        finally:
            explaining = False
        plans.queries.append(query)
        with _counted_steps(query):
            return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def find_costly_pages(client: Client, urls: Iterable[str]) -> dict[str, int]:
    """Return the steps of those pages that cost SQLite more than `MAX_PAGE_STEPS`, by URL."""
    steps = {}
    for url in urls:
        with planned_queries() as plans:
            assert client.get(url, follow=True).status_code == 200
        steps[url] = sum(query.steps for query in plans.queries)
    return {url: count for url, count in steps.items() if count > MAX_PAGE_STEPS}


@contextmanager
def _counted_steps(query: PlannedQuery) -> Iterator[None]:
    if connection.vendor != "sqlite":
        yield
        return

    def count() -> int:
        query.steps += _STEPS
        return 0

    connection.connection.set_progress_handler(count, _STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


def _explain(sql: str, params: Any) -> PlannedQuery:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            found = cursor.fetchone()[0]
            root = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
            nodes = list(_nodes(root, limited=False))
            scans = [_line(node) for node, limited in nodes if _reads_all(node, limited)]
            return PlannedQuery(sql, [_line(node) for node, _limited in nodes], scans)
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        lines = [row[3] for row in cursor.fetchall()]
        return PlannedQuery(sql, lines, [line for line in lines if _scans(line, lines, sql)])


def _scans(line: str, plan: list[str], sql: str) -> bool:
    """Return True for a line of SQLite's plan that reads all rows of a table or of an account."""
    # All rows of an account are all there are, on a site with one.
    if line.startswith("SEARCH") and line.endswith("(account=?)"):
        return not _ends_early(plan, sql)
    if not line.startswith("SCAN") or "CONSTANT ROW" in line:
        return False
    # An index in the wanted order, of which a page is read from the beginning.
    return not _ends_early(plan, sql)


def _ends_early(plan: list[str], sql: str) -> bool:
    """Return True if the query stops after its first rows: there is a LIMIT, and nothing has to be sorted."""
    is_first = re.search(r"\bLIMIT \d+(?: OFFSET \d+)?\s*$", sql) is not None
    return is_first and not any("TEMP B-TREE" in line for line in plan)


def _nodes(node: dict[str, Any], *, limited: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield all nodes of PostgreSQL's plan, each with whether it may stop early."""
    yield node, limited
    kind = node["Node Type"]
    # A sort or an aggregate reads all of its input, whatever is above it.
    passes = limited and kind not in {"Sort", "Aggregate", "Hash", "Bitmap Heap Scan"}
    for child in node.get("Plans", []):
        yield from _nodes(child, limited=passes or kind == "Limit")


def _reads_all(node: dict[str, Any], limited: bool) -> bool:
    kind, relation = node["Node Type"], node.get("Relation Name", "")
    if limited or not (relation.startswith(OURS) or "Index Name" in node):
        return False
    if kind == "Seq Scan":
        return True
    if kind in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}:
        conditions = node.get("Index Cond", "")
        # All rows of an account are all there are, on a site with one.
        return not conditions or _ACCOUNT_ALONE.fullmatch(conditions) is not None
    return False


def _line(node: dict[str, Any]) -> str:
    names = ("Relation Name", "Index Name", "Index Cond", "Filter", "Plan Rows")
    return " ".join([node["Node Type"], *(f"{name}={node[name]}" for name in names if name in node)])
