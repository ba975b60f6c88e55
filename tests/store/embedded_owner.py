"""A process that uses the embedded server of a data folder until its input closes or Ctrl-C arrives.

Arguments: the data folder, and optionally a user id to become first. It prints the address, then ``left`` when
the server has been left, or ``refused`` and why.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from atsumi.errors import ConfigurationError
from atsumi.store.embedded import EmbeddedPostgres


def main() -> None:
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    try:
        with EmbeddedPostgres(folder, settings={"fsync": "off"}) as server:
            print(server.dsn, flush=True)
            sys.stdin.read()
    except KeyboardInterrupt:
        pass
    except ConfigurationError as error:
        print(f"refused: {error}")
        return
    print("left", flush=True)


if __name__ == "__main__":
    main()
