"""The OpenAPI document against the API, by schemathesis: in this process, over WSGI, and the same cases each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.programs import HASHES, TOKEN, open_api

pytestmark = pytest.mark.django_db

NOT_CHECKED = [positive_data_acceptance]
"""Which days, services and contacts may be named isn't in a schema: 31 days at most, and what there is to book."""


@pytest.fixture
def api(site: Settings) -> Iterator[Settings]:
    """The site with the API, without limits, so that each answer is the operation's own."""
    limits = {"API_READS_PER_ADDRESS": 0, "API_BOOKINGS_PER_TOKEN": 0}
    with open_api(site, API_TOKENS=HASHES, **{**limits, "SITE_URL": "http://localhost"}):
        yield site


def load_schema() -> Any:
    return schemathesis.openapi.from_wsgi("/book/api/openapi.json", get_wsgi_application())


def run_cases(path: str, method: str, examples: int, service: str = "", **headers: str) -> None:
    """Send generated requests, right and wrong ones, and check each answer in all ways but NOT_CHECKED.

    With `service`, all of them are about this one, which there is.
    """
    operation = load_schema()[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    named = {"path_parameters": {"service": service}} if service else {}

    @seed(20261129)
    @hypothesis_settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*[operation.as_strategy(generation_mode=mode, **named) for mode in modes]))
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, excluded_checks=NOT_CHECKED)

    run()


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/services.json", ""),
        ("/service/{service}.json", ""),
        ("/service/{service}/times.json", ""),
        ("/service/{service}/times.json", "haircut"),
    ],
)
def test_documents_are_as_the_openapi_document_says(api: Settings, path: str, service: str) -> None:
    """Whatever is asked, and however wrongly: status, type, headers and schema are those of the document."""
    run_cases(path, "GET", 40, service)


@pytest.mark.long
@pytest.mark.parametrize(("path", "method"), [("/attempts.json", "POST"), ("/attempts/{token}.json", "GET")])
def test_attempts_are_as_the_openapi_document_says(api: Settings, path: str, method: str) -> None:
    """Any body, with a token: never a server error, and never an answer that isn't described."""
    run_cases(path, method, 60, Authorization=f"Bearer {TOKEN}")


def test_the_documents_of_a_business_match_their_schemas(api: Settings) -> None:
    """Services, a service and its times are as they are described."""
    schema = load_schema()
    for path in ("/services.json", "/service/{service}.json", "/service/{service}/times.json"):
        names = {"service": "haircut"} if "{" in path else {}
        response = schema[path]["GET"].Case(path_parameters=names).call_and_validate(excluded_checks=NOT_CHECKED)
        assert response.status_code == 200
    assert response.json()["times"]
