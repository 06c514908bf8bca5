"""How publishing fares on the whole server, for Prometheus."""

from __future__ import annotations

from prometheus_client.metrics_core import CounterMetricFamily, Metric

from ingest.port import Refusal
from server.live.tally import Tally


def families(tally: Tally) -> list[Metric]:
    """Make the server's figures; each cause is there from the start, so that rates are right."""
    refused = CounterMetricFamily(
        "vitrine_ingest_refused", "Publishes that were refused.", labels=("cause",)
    )
    for cause in Refusal:
        refused.add_metric((cause.value,), tally.refused[cause])
    return [
        CounterMetricFamily(
            "vitrine_ingest_takeovers",
            "Publishers that another one replaced.",
            value=tally.takeovers,
        ),
        CounterMetricFamily(
            "vitrine_ingest_resumes",
            "Broadcasts whose publisher was lost and came back.",
            value=tally.resumes,
        ),
        refused,
    ]
