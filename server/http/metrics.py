"""The figures that `/metrics` shows, in a registry of this server's own."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
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


class Requests(Collector):
    """Answers counted, and how long they took. Counting is for one thread, and a few additions."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, list[int]] = {}
        """Answers by kind and bucket; the last one has no bound."""
        self._sums: dict[str, float] = {}

    def count(self, kind: str, method: str, status: int, seconds: float) -> None:
        self._counts[kind, method, status] += 1
        buckets = self._seconds.get(kind)
        if buckets is None:
            buckets = self._seconds[kind] = [0] * (len(_BUCKETS) + 1)
            self._sums[kind] = 0.0
        buckets[bisect_left(_BUCKETS, seconds)] += 1
        self._sums[kind] += seconds

    def describe(self) -> Iterator[Metric]:
        """Name what `collect` gives."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Give both families, from any thread."""
        labels = ("kind", "method", "status")
        requests = CounterMetricFamily(
            "vitrine_http_requests", "HTTP requests answered.", labels=labels
        )
        for (kind, method, status), count in list(self._counts.items()):
            requests.add_metric((kind, method, str(status)), count)
        yield requests
        told = "Time to answer, blocked playlist reloads included."
        seconds = HistogramMetricFamily("vitrine_http_seconds", told, labels=("kind",))
        bounds = [*map(str, _BUCKETS), "+Inf"]
        for kind, buckets in list(self._seconds.items()):
            filled = zip(bounds, map(float, accumulate(buckets)), strict=True)
            seconds.add_metric((kind,), list(filled), self._sums[kind])
        yield seconds


class Metrics:
    """Counts requests; other figures are read when asked for.

    Making one and `text` read /proc: not on the event loop. `sample` is for the loop.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(namespace="vitrine", registry=self._registry)
        self._watched: list[tuple[Gauge, Callable[[], float]]] = []
        self._sampled: list[Sampled] = []
        self._requests = Requests()
        self._registry.register(self._requests)

    def observe(self, kind: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. `kind` must come from a small set."""
        known = method if method in _METHODS else "other"
        self._requests.count(kind, known, status, seconds)

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
