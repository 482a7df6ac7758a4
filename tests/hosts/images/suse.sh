# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A stand-in for Suse: Debian's own zypper and rpm, and the name of another system.
set -eu

cat >/usr/lib/os-release <<'END'
NAME="openSUSE Leap (stand-in)"
VERSION="15.6 (stand-in)"
ID="opensuse-leap"
ID_LIKE="suse opensuse"
VERSION_ID="15.6"
PRETTY_NAME="openSUSE Leap 15.6 (stand-in)"
END
mkdir -p /etc/zypp/repos.d /etc/products.d /etc/sysconfig
cat >/etc/products.d/Leap.prod <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<product schemeversion="0">
  <vendor>openSUSE</vendor>
  <name>Leap</name>
  <version>15.6</version>
  <release>1</release>
  <arch>x86_64</arch>
  <summary>openSUSE Leap 15.6 (stand-in)</summary>
  <register><target>openSUSE-Leap-15.6-x86_64</target></register>
</product>
END
ln -sf Leap.prod /etc/products.d/baseproduct
