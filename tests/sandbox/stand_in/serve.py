# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cnspec serve: the agent, as far as its service is concerned. It stays; scans, check-ins and words are not played."""

from __future__ import annotations

import signal

from sandbox.stand_in.session import Session

# Texts in cnspec's struct: anything else there cannot be decoded, the one thing that ends serve at once.
TEXTS = ("agent_mrn", "space_mrn", "scope_mrn", "parent_mrn", "mrn", "private_key", "certificate", "api_endpoint")
CONFIGURATION_ERROR = 78


def run(session: Session) -> int:
    """Stay until told to end, with or without credentials. The config was read once, before."""
    if any(isinstance(session.config.values.get(key), (dict, list)) for key in TEXTS):
        return CONFIGURATION_ERROR
    # Blocked, so that one that comes before the wait is not lost.
    ends = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)
    return 0
