"""The figures that `/metrics` shows, in a registry of this server's own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 3.0, 10.0)


class Metrics:
    """Counts requests; other figures are read when asked for.

    Making one and `text` read /proc: not on the event loop. `sample` is for the loop.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(namespace="vitrine", registry=self._registry)
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self._requests = Counter(
            "vitrine_http_requests",
            "HTTP requests answered.",
            ("kind", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "vitrine_http_seconds",
            "Time to answer, blocked playlist reloads included.",
            ("kind",),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def observe(self, kind: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. `kind` and `method` must come from small sets."""
        known = method if method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} else "other"
        self._requests.labels(kind, known, str(status)).inc()
        self._seconds.labels(kind).observe(seconds)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Show what `read` gives at each `sample` under `vitrine_{name}`."""
        gauge = Gauge(f"vitrine_{name}", description, registry=self._registry)
        self._watched.append((gauge, read))

    def sample(self) -> None:
        """Read the watched figures."""
        for gauge, read in self._watched:
            gauge.set(read())

    def text(self) -> bytes:
        """Return all figures in the Prometheus text format 0.0.4."""
        return generate_latest(self._registry)
