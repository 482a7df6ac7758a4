# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Let apt work without the internet: what it may install lies in the image. Every time service of Debian is there, and
# none is installed.
set -eu

mkdir -p /opt/debian/partial
for service in chrony systemd-timesyncd ntpsec openntpd; do
    # One after the other: each conflicts with the others.
    apt-get install -q -y --no-install-recommends --download-only -o Dir::Cache::archives=/opt/debian/ "$service"
done
rm -rf /opt/debian/partial /opt/debian/lock
cd /opt/debian
for package in *.deb; do
    dpkg-deb --field "$package"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
        "$package" "$(stat --format %s "$package")" "$(sha256sum "$package" | cut -d ' ' -f 1)"
done >Packages
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/opt/debian ./' >/etc/apt/sources.list.d/image.list
