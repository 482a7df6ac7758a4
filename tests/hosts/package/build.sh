#!/bin/sh
# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Build the packages cnspec and mondoo of one version, as .deb and .rpm, in /srv/packages: build.sh VERSION
set -eu

version=$1
here=$(dirname "$0")
folder=$(mktemp -d)
chmod 755 "$folder"

# What both hold: the stand-in for cnspec, its unit, the folder of its configuration.
mkdir -p "$folder/cnspec/etc/opt/mondoo" "$folder/cnspec/usr/lib/systemd/system"
PYTHONPATH=/opt python3 -m sandbox.cnspec_stand_in --install "$folder/cnspec/usr/bin/cnspec" --root "" --version "$version"
cp "$here/../cnspec.service" "$folder/cnspec/usr/lib/systemd/system/"

mkdir -p /srv/packages/deb /srv/packages/rpm "$folder/cnspec/DEBIAN" "$folder/mondoo/DEBIAN"
cat >"$folder/cnspec/DEBIAN/control" <<END
Package: cnspec
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: Packages of the lab <packages@lab.invalid>
Conflicts: cnquery
Replaces: cnquery
Description: Stand-in for cnspec
END
sed 's/^Package: .*/Package: mondoo/; s/^Architecture: .*/Architecture: all/; s/^Conflicts: .*/Depends: cnspec/; /^Replaces/d' \
    "$folder/cnspec/DEBIAN/control" >"$folder/mondoo/DEBIAN/control"
install -m 755 "$here/postinstall.sh" "$folder/cnspec/DEBIAN/postinst"
for name in cnspec mondoo; do
    dpkg-deb --root-owner-group --build "$folder/$name" /srv/packages/deb >/dev/null
done

rm -r "$folder/cnspec/DEBIAN"
# Of the vendor's units only rpm's wait for a configuration.
sed -i 's|^After=.*|&\nConditionPathExists=/etc/opt/mondoo/\nConditionFileNotEmpty=/etc/opt/mondoo/mondoo.yml|' \
    "$folder/cnspec/usr/lib/systemd/system/cnspec.service"
rpmbuild --quiet --define "_topdir $folder" --define "payload $folder/cnspec" --define "number $version" \
    --define "postinstall $here/postinstall.sh" -bb "$here/cnspec.spec"
cp "$folder"/RPMS/*/*.rpm /srv/packages/rpm/
rm -r "$folder"
