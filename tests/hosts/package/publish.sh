#!/bin/sh
# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Publish packages as the vendor does, below /srv/repositories: publish.sh NAME KEY SHOWN-KEY VERSION...
# Everything is signed by KEY; the key that is offered there is SHOWN-KEY.
set -eu

target=/srv/repositories/$1 key=$2 shown=$3
shift 3
export GNUPGHOME="/root/keys/$key"
new=$(mktemp -d)
chmod 755 "$new"

debian=$new/debian rpm=$new/rpm/$(uname -m)
mkdir -p "$debian/pool" "$rpm"
for version; do
    cp /srv/packages/deb/*_"${version}"_*.deb "$debian/pool/"
    cp /srv/packages/rpm/*-"${version}"-*.rpm "$rpm/"
done

cd "$debian"
index=dists/stable/main/binary-$(dpkg --print-architecture)
mkdir -p "$index"
apt-ftparchive packages pool >"$index/Packages"
gzip -k "$index/Packages"
apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=stable \
    -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures="$(dpkg --print-architecture)" \
    -o APT::FTPArchive::Release::Origin="Packages of the lab" release dists/stable >"$new/Release"
mv "$new/Release" dists/stable/Release
gpg --batch --digest-algo SHA512 --clearsign --output dists/stable/InRelease dists/stable/Release
gpg --batch --digest-algo SHA512 --armor --detach-sign --output dists/stable/Release.gpg dists/stable/Release
gpg --batch --homedir "/root/keys/$shown" --armor --export >pubkey.gpg

rpmsign --define "__gpg /usr/bin/gpg" --define "_gpg_name $(gpg --batch --with-colons --fingerprint | sed -n 's/^fpr:*\([0-9A-F]*\):$/\1/p')" \
    --addsign "$rpm"/*.rpm >/dev/null
createrepo_c --quiet "$rpm"
gpg --batch --digest-algo SHA512 --armor --detach-sign "$rpm/repodata/repomd.xml"
cp pubkey.gpg "$new/rpm/pubkey.gpg"
cat >"$new/rpm/mondoo.repo" <<END
[mondoo]
name=Mondoo Repository
baseurl=$URL/$(basename "$target")/rpm/\$basearch
enabled=1
gpgcheck=1
gpgkey=$URL/$(basename "$target")/rpm/pubkey.gpg
END

mkdir -p "$(dirname "$target")"
rm -rf "$target"
mv "$new" "$target"
