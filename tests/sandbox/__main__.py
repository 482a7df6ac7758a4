# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the platform: `python -m sandbox`; one JSON line says where it is."""

from __future__ import annotations

import argparse
import json
import signal
import threading

from .controls import SPACE
from .server import Platform


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Mondoo Platform on loopback.")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--tls", action="store_true", help="https, with a private authority made at start")
    parser.add_argument("--state", help="file that keeps accounts, agents, tokens and keys over a restart")
    parser.add_argument("--endpoint", default="", help="API endpoint in tokens and credentials, if not this URL")
    parser.add_argument("--space", action="append", default=[], help=f"make this space too (there is {SPACE})")
    parser.add_argument("--token", action="store_true", help="mint a registration token and print it, too")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *dummy: stop.set())
    with Platform(options.tls, options.port, options.state, options.endpoint) as platform:
        for space in options.space:
            platform.add_space(space)
        line = {"url": platform.url, "ca": platform.ca}
        if options.token:
            line["token"] = platform.mint_token(lifetime=86400)
        print(json.dumps(line), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
