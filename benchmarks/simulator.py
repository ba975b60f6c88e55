"""A simulated company in its own process, without limits that would be measured in place of the product.

`python -m benchmarks.simulator APPLICATIONS` announces itself in one JSON line and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading

from atsumi.connectors.personio.simulator import Simulator, run_server
from atsumi.connectors.personio.simulator.switches import Switches

_UNLIMITED = Switches(
    v2_replenish_per_second=1_000_000,
    v2_burst=1_000_000,
    persons_replenish_per_second=1_000_000,
    persons_burst=1_000_000,
    v1_requests_per_window=0,
    token_requests_per_minute=0,
)


def main() -> None:
    """Serve until standard input ends."""
    # No published job but the one that is always there: forms are read at the career site's pace of two per second,
    # which would be all that a sync of a thousand published jobs shows.
    simulator = Simulator(seed=1, applications=int(sys.argv[1]), published_share=0.0, switches=_UNLIMITED)

    def ready(base_url: str) -> None:
        told = {"base_url": base_url, "credentials": simulator.credentials(), "counts": simulator.counts()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()

        def watch() -> None:
            sys.stdin.read()
            loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=watch, daemon=True).start()
        serving = asyncio.create_task(run_server(simulator, port=0, on_ready=ready))
        await stop.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(run())


if __name__ == "__main__":
    main()
