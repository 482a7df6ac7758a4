# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A host that is not a container: its own kernel (user-mode-linux), disk, clock and network, reached by ssh.
set -eu

cat >/usr/local/sbin/set-up-host <<'END'
#!/bin/sh
# Take what is this host's own from the folder of the lab that the kernel's command line names.
set -eu
for word in $(cat /proc/cmdline); do
    case "$word" in lab=*) lab=${word#lab=} ;; esac
done
mount -t hostfs -o "$lab" lab /mnt
. /mnt/settings
date --set "@$(($(date +%s) + OFFSET))"
echo "$NAME" >/etc/hostname
hostname "$NAME"
printf '127.0.0.1 localhost\n%s %s\n' "$ADDRESS" "$NAME" >/etc/hosts
# There is no name server, and nobody waits for one.
rm -f /etc/resolv.conf
: >/etc/resolv.conf
install -d -m 700 /root/.ssh
install -m 600 /mnt/key.pub /root/.ssh/authorized_keys
umount /mnt
mkdir -p /opt/sandbox
mount -t hostfs -o ro,"$SANDBOX" sandbox /opt/sandbox
ip address add "$ADDRESS/24" dev vec0
ip link set vec0 up
ip route add default via "$GATEWAY"
END
chmod 755 /usr/local/sbin/set-up-host
cat >/etc/systemd/system/set-up-host.service <<'END'
[Unit]
Description=Address, name, key and clock of this host
DefaultDependencies=no
Wants=network.target
After=local-fs.target
Before=sysinit.target network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/set-up-host
END
mkdir -p /etc/systemd/system/sysinit.target.wants
ln -s ../set-up-host.service /etc/systemd/system/sysinit.target.wants/
# What costs time at each boot; and a clock that jumps makes apt's timers run, which hold the lock of dpkg.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service getty.target systemd-random-seed.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done
