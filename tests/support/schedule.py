"""What befalls ship, its files and its sink in a conservation test: drawn from a seed, and nothing else.

    for step in schedule(seed=7, seconds=20): ...    # in the order of step.at, seconds from the start

The same seed and length give the same steps. How fast the machine is still decides which request a
fault hits; a failing seed may want a few tries.
"""

import dataclasses
import random

import fake_es as faults

# ship gives up a request after 2 s, so that stalls are noticed within a run of 15.
REQUEST_TIMEOUT = "2s"
SINK = {
    "429": faults.status(429),
    "429, retry after 1 s": faults.status(429, retry_after=1),
    "503": faults.status(503),
    "502 html": faults.status(502, body="<html>Bad Gateway</html>"),
    "reset before": faults.drop_before(),
    "reset after": faults.drop_after(),
    "stall": faults.stall(3),
    "stall after": faults.stall_after(3),
    "cut reply": faults.cut_reply(),
    "cut headers": faults.cut_headers(),
    "short items": faults.short_items(0.5),
    "html": faults.garbage(),
    "empty": faults.garbage(body=""),
    "slow": faults.slow(0.5),
}
KINDS = {
    "sink fails next": 6,
    "sink is ill": 2,
    "rotate": 5,
    "add files": 1,
    "SIGKILL": 4,
    "SIGTERM": 2,
    "SIGHUP": 3,
    "SIGSTOP": 1,
}
PAUSE_S = 0.35


@dataclasses.dataclass(frozen=True)
class Step:
    at: float
    kind: str
    fault: str = None  # a key of SINK
    times: int = 1
    seconds: float = 0.0  # how long it lasts


def schedule(seed, seconds):
    rng = random.Random(seed)
    steps = []
    at = rng.expovariate(1 / PAUSE_S)
    while at < seconds:
        (kind,) = rng.choices(list(KINDS), list(KINDS.values()))
        steps.append(Step(at, kind, rng.choice(list(SINK)), rng.randint(1, 4), rng.uniform(0.1, 1.5)))
        at += rng.expovariate(1 / PAUSE_S)
        if kind == "sink is ill":
            steps.append(Step(steps[-1].at + steps[-1].seconds, "sink is well"))
    return sorted(steps, key=lambda step: step.at)
