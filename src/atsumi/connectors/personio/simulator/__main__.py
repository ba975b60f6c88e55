"""`python -m atsumi.connectors.personio.simulator`: a company to try the connector with."""

from __future__ import annotations

import argparse
import sys

from atsumi.connectors.personio.simulator import Simulator, serve


def main() -> None:
    """Parse the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m atsumi.connectors.personio.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="0 picks a free one")
    parser.add_argument("--applications", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    simulator = Simulator(seed=arguments.seed, applications=arguments.applications, jobs=arguments.jobs)

    def ready(base_url: str) -> None:
        given = simulator.credentials()
        sys.stdout.write(f"Simulated Personio account {given['company_name']!r}\n")
        sys.stdout.write(f"  api_base_url      {base_url}\n")
        sys.stdout.write(f"  career_base_url   {base_url}/career/{given['subdomain']}\n")
        for name in ("client_id", "client_secret", "recruiting_key", "company_id", "subdomain"):
            sys.stdout.write(f"  {name:<17} {given[name]}\n")
        sys.stdout.flush()

    serve(simulator, arguments.host, arguments.port, ready)


if __name__ == "__main__":
    main()
