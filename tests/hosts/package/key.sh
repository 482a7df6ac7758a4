#!/bin/sh
# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Make a key pair and print its fingerprint: key.sh NAME
set -eu

export GNUPGHOME="/root/keys/$1"
mkdir -p -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key "Packages of the lab ($1) <packages@lab.invalid>" rsa3072 sign never
gpg --batch --with-colons --fingerprint | sed -n 's/^fpr:*\([0-9A-F]*\):$/\1/p'
