"""Records of runs as the runner makes them."""

from bench.plan import Figure
from bench.summary import Record

FIGURE = Figure("message", "msg", "cpu_us", "µs", 25)
CROWD = Figure("crowd", "msg-crowd", "cpu_us", "µs", "msg")


def record(server: str, number: int, cost: float, run: str = "msg") -> Record:
    return {
        "server": server, "run": run, "round": number, "cpu_us": cost, "other_cores": 0.5, "calibration_ms": 12.0,
        "server_cores": 1.0, "generator_cores": 0.2, "stolen_cores": 0.0, "per_s": 900.0, "lost": 0,
    }  # fmt: skip


RECORDS = [
    record("xmppd", 1, 20.0),
    record("prosody", 1, 100.0),
    record("xmppd", 2, 30.0),
    record("prosody", 2, 110.0),
    record("xmppd", 3, 22.0),
    record("xmppd", 1, 33.0, "msg-crowd"),
]
