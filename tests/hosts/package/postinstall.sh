#!/bin/sh
# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# As the vendor's: what runs is restarted, nothing is enabled or started, an enabled unit of the former name gives way.
# The vendor's also runs `cnspec migrate`, which the stand-in does not have.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if systemctl is-active --quiet cnspec.service; then
        systemctl restart cnspec.service
    elif [ "$(systemctl show --property=Id --value mondoo.service)" = mondoo.service ] &&
        [ "$(systemctl is-enabled mondoo.service 2>/dev/null)" = enabled ]; then
        systemctl disable --now mondoo.service
        systemctl enable --now cnspec.service
    fi
fi
exit 0
