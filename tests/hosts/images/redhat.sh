# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A stand-in for RedHat and its kin: Debian's own dnf and rpm, and the name of another system.
set -eu

cat >/usr/lib/os-release <<'END'
NAME="Rocky Linux (stand-in)"
VERSION="9.5 (stand-in)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.5"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.5 (stand-in)"
END
echo 'Rocky Linux release 9.5 (stand-in)' >/etc/redhat-release
mkdir -p /etc/yum.repos.d /etc/sysconfig
cat >/etc/dnf/dnf.conf <<'END'
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
END
