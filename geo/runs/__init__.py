"""Join the parts: load what a run needs, compute, and hand over what is kept; one module for a kind of run."""

from geo.runs.answers import Progress, RunAnswer, RunKind
from geo.runs.hotspots import HotspotRequest
from geo.runs.inputs import RunInput, UnitInput, input_hash, refuse_masked
from geo.runs.kinds import KINDS, compute_run, kind_of, load_run
from geo.runs.requests import PAIR, Parameter, RunRequest, own_parameters, read_pair
from geo.runs.spans import default_period

METHOD_VERSION = HotspotRequest.version
"""Of the search for hotspots."""

__all__ = [
    "KINDS",
    "METHOD_VERSION",
    "PAIR",
    "HotspotRequest",
    "Parameter",
    "Progress",
    "RunAnswer",
    "RunInput",
    "RunKind",
    "RunRequest",
    "UnitInput",
    "compute_run",
    "default_period",
    "input_hash",
    "kind_of",
    "load_run",
    "own_parameters",
    "read_pair",
    "refuse_masked",
]
