#!/bin/sh
# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Install what hosts with an init system are made of, where it is missing: on Debian, as root.
set -eu

missing=
# A package is named like its command, or after a colon.
for command in podman runc debootstrap ip:iproute2 ssh:openssh-client mke2fs:e2fsprogs linux.uml:user-mode-linux; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${command%:*}" >/dev/null || missing="$missing ${command#*:}"
done
test -n "$missing" || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Cannot install$missing: that wants root and apt-get. Install them, then run this again."
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# Hosts with a clock of their own are left out where Debian has no user-mode-linux (it has on amd64).
apt-cache show user-mode-linux >/dev/null 2>&1 || missing=$(echo "$missing" | sed 's/ user-mode-linux//')
test -n "$missing" || exit 0
# What they recommend (networks, unprivileged users) is not used here.
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
