# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the stand-ins for RedHat and Suse share: rpm has a database and knows what is there, the system's own repository
# is /opt/system and has chrony, apt and dpkg are gone. Wants NAME, VERSION and FLAVOUR of the system in its environment.
set -eu

# Debian's rpm keeps its database in the home of each user.
mkdir -p /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
rpmdb --initdb

folder=$(mktemp -d)
cat >"$folder/release.spec" <<END
Name: $NAME-release
Version: $VERSION
Release: 1
Summary: What of this stand-in is not a package of rpm
License: GPL-3.0-or-later
BuildArch: noarch
Provides: system-release = $VERSION
Provides: system-release(releasever) = $VERSION
Provides: distribution-release = $VERSION
Provides: /bin/sh /bin/bash /usr/bin/sh /usr/bin/python3 python3 systemd ca-certificates shadow-utils shadow
%description
Names what packages ask for and the image has.
%files
END
rpmbuild --quiet --define "_topdir $folder" -bb "$folder/release.spec"
rpm --install --nodeps "$folder"/RPMS/noarch/*.rpm

cd "$folder"
apt-get download -q chrony
dpkg-deb --extract chrony_*.deb "$folder/chrony"
rpmbuild --quiet --define "_topdir $folder" --define "flavour $FLAVOUR" --define "unpacked $folder/chrony" \
    --define "sources /opt/images" --define "version_of_debian $(dpkg-deb --field chrony_*.deb Version | cut -d - -f 1)" \
    -bb /opt/images/chrony.spec
mkdir -p /opt/system
cp "$folder"/RPMS/*/chrony-*.rpm /opt/system/
createrepo_c --quiet /opt/system
cat >"$REPOSITORIES/system.repo" <<'END'
[system]
name=The system's own packages
baseurl=file:///opt/system
enabled=1
gpgcheck=0
END
cd /
rm -rf "$folder"
rm -rf /usr/bin/apt* /usr/bin/dpkg* /etc/apt /var/lib/apt /var/lib/dpkg
