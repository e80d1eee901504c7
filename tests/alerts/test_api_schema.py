"""The API tried against its own OpenAPI document, over HTTP: nothing it answers is undocumented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import checks

from alerts.store import audit
from alerts.store.database import Database
from tests.alerts.calling import Api
from tests.alerts.responding import copies, first
from tests.alerts.serving import serving

EXAMPLES = 12  # of each operation
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    path: Path = tmp_path_factory.mktemp("schema") / "response.db"
    with closing(Database(path)) as database:
        made = Api(database)
        for alert in (first(), *copies(3)):
            made.desk.take(alert)
        yield made


def document(api: Api) -> dict[str, Any]:
    with api.client("viewer") as viewer:
        found: dict[str, Any] = viewer.get("/openapi.json").json()
    return found


def test_the_document_says_who_may_ask_and_what_comes(api: Api) -> None:
    found = document(api)
    assert found["openapi"] == "3.1.0"
    ids = []
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            ids.append(operation["operationId"])
            assert ("security" in operation) != path.startswith("/health"), (method, path)
            assert {"500", "503"} <= operation["responses"].keys()
    assert len(ids) == len(set(ids)) > 40
    for schema in found["components"]["schemas"].values():
        Draft202012Validator({**schema, "components": found["components"]})


def test_nothing_it_answers_is_undocumented(api: Api) -> None:
    """Known ids are put in places of made-up ones half of the time, so that writes succeed too."""
    statuses: dict[str, set[int]] = {}
    ids = [first().id, *(alert.id for alert in copies(3))]
    with serving(api.app) as url:
        schema = schemathesis.openapi.from_dict(document(api))
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path == "/v1/events":  # never ends; tests/alerts/test_api_events.py
                continue
            seen = statuses.setdefault(f"{operation.method} {operation.path}", set())
            _try(operation, url, api.secrets["admin"], ids, seen)
    assert all(statuses.values())
    reached = {status for seen in statuses.values() for status in seen}
    assert {200, 201, 404, 422, 428} <= reached, reached
    with api.desk.database.read() as connection:
        assert audit.verify(connection) > 4


def _try(operation: Any, url: str, secret: str, ids: list[str], seen: set[int]) -> None:
    turn = iter(range(10**6))

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def one(case: Any) -> None:
        number = next(turn)
        if "id" in (case.path_parameters or {}) and number % 2:
            case.path_parameters["id"] = ids[number % len(ids)]
            if "message" in case.path_parameters:
                case.path_parameters["message"] = "holding:web:en"
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {secret}"})
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    one()
