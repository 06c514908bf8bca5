"""The figures that `/metrics` shows, in a registry of this server's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))
_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 3.0, 10.0)


class Sampled(Collector):
    """Families that were made on the event loop, given from whichever thread asks."""

    def __init__(self, read: Callable[[], Sequence[Metric]]) -> None:
        self._read = read
        self._made: Sequence[Metric] = ()

    def sample(self) -> None:
        self._made = self._read()

    def describe(self) -> Iterator[Metric]:
        """Name nothing ahead: which families there are is known when they are read."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        return iter(self._made)


class Metrics:
    """Counts requests; other figures are read when asked for.

    Making one and `text` read /proc: not on the event loop. `sample` is for the loop.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(namespace="vitrine", registry=self._registry)
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self._sampled: list[Sampled] = []
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        """Looking one up by its labels costs more than counting."""
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
        """Count one answer. `kind` must come from a small set."""
        known = method if method in _METHODS else "other"
        found = self._children.get((kind, known, status))
        if found is None:
            found = self._requests.labels(kind, known, str(status)), self._seconds.labels(kind)
            self._children[kind, known, status] = found
        requests, histogram = found
        requests.inc()
        histogram.observe(seconds)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Show what `read` gives at each `sample` under `vitrine_{name}`."""
        gauge = Gauge(f"vitrine_{name}", description, registry=self._registry)
        self._watched.append((gauge, read))

    def watch_families(self, read: Callable[[], Sequence[Metric]]) -> None:
        """Show the families that `read` gives at each `sample`, and no older ones."""
        sampled = Sampled(read)
        self._registry.register(sampled)
        self._sampled.append(sampled)

    def sample(self) -> None:
        """Read the watched figures."""
        for gauge, read in self._watched:
            gauge.set(read())
        for sampled in self._sampled:
            sampled.sample()

    def text(self) -> bytes:
        """Return all figures in the Prometheus text format 0.0.4."""
        return generate_latest(self._registry)
