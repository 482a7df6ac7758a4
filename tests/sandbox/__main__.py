# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the platform: `python -m sandbox`; one JSON line says where it is."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

from .controls import SPACE
from .server import Platform
from .tls import REAL_NAMES


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Mondoo Platform on loopback.")
    parser.add_argument("--port", type=int, default=0, help="default: that of before a restart, else any free one")
    parser.add_argument("--tls", action="store_true", help="https, with a private authority made at start")
    parser.add_argument("--name", action="append", default=[], help="a host name that the certificate is for, too")
    parser.add_argument("--real-names", action="store_true", help=f"the same for {', '.join(REAL_NAMES)}")
    parser.add_argument("--state", help="file that keeps keys, tokens, accounts, agents, calls and port over a restart")
    parser.add_argument("--endpoint", default="", help="API endpoint in tokens and credentials, if not this URL")
    parser.add_argument("--space", action="append", default=[], help=f"make this space too (there is {SPACE})")
    parser.add_argument("--token", action="store_true", help="mint a registration token and print it, too")
    given = parser.parse_args()
    if (given.name or given.real_names) and not given.tls:
        parser.error("--name and --real-names are for certificates: give --tls, too")
    return given


def serve(given: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *dummy: stop.set())
    names = [*given.name, *(REAL_NAMES if given.real_names else ())]
    with Platform(given.tls, given.port, given.state, given.endpoint, names) as platform:
        for space in given.space:
            platform.add_space(space)
        line = {"url": platform.url, "ca": platform.ca}
        if given.token:
            line["token"] = platform.mint_token(lifetime=86400)
        print(json.dumps(line), flush=True)
        stop.wait()


def main() -> None:
    """Serve, or say in one line why not."""
    try:
        serve(options())
    except (OSError, ValueError) as exc:
        sys.exit(exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc))


if __name__ == "__main__":
    main()
