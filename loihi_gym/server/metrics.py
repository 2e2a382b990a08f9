"""Counters, and the text that Prometheus reads."""

PREFIX = "loihi_gym_"
HELP = {
    "measurements_total": "Mappings measured.",
    "measurement_seconds_total": "Time spent measuring.",
    "failures_total": "Measurements that failed.",
    "reused_total": "Results given again without measuring.",
    "abandoned_total": "Queued measurements that nobody asked for any more.",
    "refused_total": "Requests refused for their token, host, size or slowness.",
    "busy_total": "Requests refused because the queue was full.",
    "worker_starts_total": "Starts of the process that measures.",
    "queued": "Measurements that wait.",
    "clients": "Clients with a measurement that waits.",
    "problems": "Problems stored.",
    "results": "Results in memory.",
    "uptime_seconds": "Time since the server began.",
}
"""Every metric with its meaning; what ends in ``_total`` only grows."""

Counters = dict[str, float]
"""Metrics by name."""


def zeroed() -> Counters:
    """Every metric at 0."""
    return dict.fromkeys(HELP, 0.0)


def prometheus(values: Counters) -> str:
    """Metrics in Prometheus' text format 0.0.4."""
    lines = []
    for name, meaning in HELP.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [
            f"# HELP {PREFIX}{name} {meaning}",
            f"# TYPE {PREFIX}{name} {kind}",
            f"{PREFIX}{name} {values[name]:.10g}",
        ]
    return "\n".join(lines) + "\n"
