# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation that both modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that mondoo_registration and mondoo_status both take."""

    DOCUMENTATION = r"""
options:
  config_path:
    description:
      - Path of C(mondoo.yml) on the host. A leading C(~) and variables are expanded there.
      - The default is what the operating system's package uses, C(/etc/opt/mondoo/mondoo.yml) on Linux.
        On macOS it is the file that the launch daemon names, else the one that exists,
        else C(/Library/Mondoo/etc/mondoo.yml).
    type: str
  cnspec_path:
    description:
      - Path of the C(cnspec) command on the host.
      - The default is the first one found in the places that packages use and in the search path.
    type: str
  timeout:
    description:
      - Time limit in seconds for the slowest part, which is registering at the platform for
        M(mondoo.fleet.mondoo_registration), and running C(cnspec status) for M(mondoo.fleet.mondoo_status).
    type: int
    default: 60
notes:
  - The options O(config_path), O(cnspec_path) and O(timeout) are taken by both M(mondoo.fleet.mondoo_registration) and
    M(mondoo.fleet.mondoo_status), so they can be set for both with C(module_defaults) and the action group
    C(mondoo.fleet.mondoo).
"""

    # What an action plugin over the module cnspec_host can do.
    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and say what would change, without changing anything.
  diff_mode:
    description: Says what it changed (or would change) when diff mode is on.
  platform:
    description: Which systems the host can run.
    platforms: posix
  action:
    description: Runs on the controller, and asks the host only for what it needs.
  async:
    description: Can be used with C(async).
"""
