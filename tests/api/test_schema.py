"""Every operation of the schema keeps its promises under generated requests (Schemathesis)."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.database import make_sessions, open_engine
from geo.analysis.province import synthetic_province
from geo.demo import store_province
from tests.api.conftest import client_of
from tests.conftest import DEMO_SEED
from tests.databases import fresh_database

EXAMPLES = 25


def operations(client):
    return list(schemathesis.openapi.from_asgi("/openapi.json", client.app).get_all_operations())


@pytest.fixture(scope="module")
def by_label(admin_url, template, tmp_path_factory):
    """Return the operations over a demo province of their own: generated requests also change and undo."""
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web, statement_timeout_ms=0)
        with make_sessions(engine).begin() as session:
            store_province(session, synthetic_province(seed=DEMO_SEED), seed=DEMO_SEED)
        engine.dispose()
        client, engine = client_of(urls, tmp_path_factory.mktemp("schema"), demo=True)
        yield {operation.ok().label: operation.ok() for operation in operations(client)}
        engine.dispose()


LABELS = (
    "GET /livez",
    "GET /readyz",
    "GET /",
    "GET /areas",
    "GET /incidents",
    "GET /lines",
    "GET /stations",
    "GET /hotspots",
    "GET /runs",
    "POST /runs",
    "GET /runs/kinds",
    "GET /runs/{run_id}",
    "GET /runs/{run_id}/features",
    "POST /runs/{run_id}/cancel",
    "GET /tiles/incidents/{z}/{x}/{y}.mvt",
    "GET /tiles/grid/{z}/{x}/{y}.mvt",
    "GET /tiles/segments/{z}/{x}/{y}.mvt",
    "GET /tiles/stations/{z}/{x}/{y}.mvt",
    "GET /tiles/areas/{z}/{x}/{y}.mvt",
    "GET /import",
    "POST /imports",
    "GET /imports/{upload_id}",
    "PATCH /imports/{upload_id}",
    "DELETE /imports/{upload_id}",
    "POST /imports/{upload_id}/commit",
    "POST /imports/{upload_id}/cancel",
    "GET /imports/{upload_id}/rejected.csv",
    "GET /batches",
    "POST /batches/{batch_id}/undo",
    "GET /exports/{what}/count",
    "GET /exports/{what}.{form}",
    "GET /export",
    "GET /reconciliation",
    "GET /reconciliation/summary",
    "GET /reconciliation/matches",
    "GET /reconciliation/unmatched.geojson",
    "GET /duplicates",
    "GET /duplicates/pairs",
    "GET /duplicates/pairs/{pair_id}",
    "POST /duplicates/pairs/{pair_id}/decisions",
    "GET /borders",
    "GET /borders/pairs",
    "GET /borders/incidents",
    "GET /operations",
    "POST /operations",
    "GET /operations/new",
    "GET /operations/{operation_id}",
    "PATCH /operations/{operation_id}",
    "POST /operations/{operation_id}/acts",
    "POST /operations/{operation_id}/units",
    "POST /operations/{operation_id}/units/{unit_id}/removal",
    "GET /operations/{operation_id}/zones",
    "GET /operations/{operation_id}/log",
    "POST /operations/{operation_id}/log",
    "GET /operations/{operation_id}/overlay",
    "POST /operations/{operation_id}/overlay",
    "GET /operations/{operation_id}/overlay/{mark_id}",
    "PATCH /operations/{operation_id}/overlay/{mark_id}",
    "POST /operations/{operation_id}/overlay/{mark_id}/removal",
    "GET /operations/{operation_id}/effects",
    "GET /operations/{operation_id}/briefing.{form}",
    "GET /runs/{run_id}/briefing.{form}",
    "GET /linked",
    "GET /linked.geojson",
    "GET /ogc",
    "GET /ogc/conformance",
    "GET /ogc/api",
    "GET /ogc/collections",
    "GET /ogc/collections/{collection_id}",
    "GET /ogc/collections/{collection_id}/queryables",
    "GET /ogc/collections/{collection_id}/items",
    "GET /ogc/collections/{collection_id}/items/{feature_id}",
    "GET /ogc/tileMatrixSets",
    "GET /ogc/tileMatrixSets/{tile_matrix_set}",
    "GET /ogc/tiles",
    "GET /ogc/tiles/{tile_matrix_set}",
    "GET /ogc/tiles/{tile_matrix_set}/{tile_matrix}/{tile_row}/{tile_col}",
    "GET /ogc/collections/{collection_id}/tiles",
    "GET /ogc/collections/{collection_id}/tiles/{tile_matrix_set}",
    "GET /ogc/collections/{collection_id}/tiles/{tile_matrix_set}/{tile_matrix}/{tile_row}/{tile_col}",
    "GET /docs",
)
# An event stream lasts as long as its work; test_runs.py and test_imports.py watch one to its end.
STREAMS = (
    "GET /runs/{run_id}/events",
    "GET /imports/{upload_id}/events",
    "GET /operations/{operation_id}/events",
)


def test_every_operation_is_tried(by_label):
    assert set(by_label) == set(LABELS) | set(STREAMS)


@pytest.mark.parametrize("label", LABELS)
def test_an_operation_keeps_its_promises(by_label, label):
    @given(case=by_label[label].as_strategy())
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), derandomize=True)
    def check(case):
        # That a period names real days, and that ids exist, no schema can say: such requests are refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    check()
