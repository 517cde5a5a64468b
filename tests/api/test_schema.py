"""Every operation of the schema keeps its promises under generated requests (Schemathesis)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = 25


def operations(client):
    return list(schemathesis.openapi.from_asgi("/openapi.json", client.app).get_all_operations())


@pytest.fixture(scope="session")
def by_label(client):
    return {operation.ok().label: operation.ok() for operation in operations(client)}


LABELS = (
    "GET /livez",
    "GET /readyz",
    "GET /",
    "GET /areas",
    "GET /incidents",
    "GET /tiles/incidents/{z}/{x}/{y}.mvt",
    "GET /lines",
    "GET /runs",
    "POST /runs",
    "GET /runs/{run_id}",
    "POST /runs/{run_id}/cancel",
)
# An event stream lasts as long as its run; test_runs.py watches one to its end.
STREAMS = ("GET /runs/{run_id}/events",)


def test_every_operation_is_tried(by_label):
    assert set(by_label) == set(LABELS) | set(STREAMS)


@pytest.mark.parametrize("label", LABELS)
def test_an_operation_keeps_its_promises(by_label, label):
    @given(case=by_label[label].as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def check(case):
        # That a period names real days, and that ids exist, no schema can say: such requests are refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    check()
