# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Lab of every test of a registration: one platform and one host for each."""

from __future__ import annotations

from doubles.fixtures import lab, platform

__all__ = ["lab", "platform"]
