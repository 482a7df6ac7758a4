# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The servers of a lab start when a test says so, with settings of its own.
set -eu

rm -f /etc/systemd/system/multi-user.target.wants/chrony.service /etc/systemd/system/multi-user.target.wants/squid.service
rm -f /etc/systemd/system/chronyd.service
