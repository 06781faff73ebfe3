#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# crun-slirp4netns BUNDLE DIR BENCH-LOAD PORT: what `rnet run --publish` does,
# by crun and slirp4netns, with no more between them than has to be. Ends,
# with all of it, on SIGTERM. The payload runs before its network is there,
# which favours them: what `crun create` leaves is not for slirp4netns to enter.
set -u
bundle=$1 dir=$2 load=$3 port=$4
crun=(crun --root "$dir/crun" --cgroup-manager=disabled)
helper=

finish() {
    "${crun[@]}" delete --force bench 2>/dev/null # it may not be there
    [ -z "$helper" ] || kill "$helper"
    rm -f "$dir/ready" "$dir/api"
    exit 0
}
trap finish TERM

rm -f "$dir/ready" "$dir/api"
mkfifo "$dir/ready" || exit 1
"${crun[@]}" run --detach --bundle "$bundle" --pid-file "$dir/pid" bench ||
    finish
read -r pid <"$dir/pid"
slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=3 \
    --api-socket="$dir/api" "$pid" tap0 3>"$dir/ready" >/dev/null &
helper=$!
read -r -n 1 _ <"$dir/ready"
"$load" api "$dir/api" "{\"execute\": \"add_hostfwd\", \"arguments\": {
    \"proto\": \"tcp\", \"host_port\": $port, \"guest_port\": $port}}"
wait "$helper"
finish
