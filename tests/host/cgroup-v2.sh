#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cgroup-v2.sh RNET USER: cgroups where they are delegated. Run by hand, as
# root, on a host with systemd and cgroup v2 alone, where USER (an ordinary one)
# has a manager of his own with cpu, memory and pids delegated and sub-ids.
# Needs jq and busybox (static). Prints TAP; the exit status tells.
#
# Four ways to a cgroup: root and user, by systemd (--systemd-cgroup) and
# directly. The latter as a user: the script calls itself in a delegated scope,
# whose own processes it moves into a cgroup below, so that others beside that
# can have controllers.
set -u

rnet=$(readlink -f "$1")
user=$2
inside=${3:-} # the work directory, in that scope
uid=$(id -u "$user")
work=${inside:-$(mktemp -d /tmp/rnet-host-XXXXXX)}
if [ -z "$inside" ]; then
    chmod 1777 "$work"
    trap 'rm -rf "$work"' EXIT
fi
count=${4:-0}
failed=0

# check NAME COMMAND...: one line of TAP, with what it said if it failed
check() {
    local name=$1
    shift
    count=$((count + 1))
    if "$@" >"$work/said-$EUID" 2>&1; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        sed 's/^/# /' "$work/said-$EUID"
        failed=1
    fi
}

has() { # FILE VALUE: that file of the container's cgroup
    local text
    text=$(tr '\n' ' ' <"$cgroup/$1") || return 1
    [ "$text" = "$2 " ] || { echo "$1: \"$text\", not \"$2\""; return 1; }
}

# the four ways: run COMMAND... as that way wants it
as_root() { "$@"; }
as_user() {
    setpriv --reuid "$user" --regid "$user" --init-groups env -i \
        PATH="$PATH" HOME="$work" XDG_RUNTIME_DIR="/run/user/$uid" "$@"
}
directly() { "$@"; }

as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$PATH" "$@"
}

# bundle DIR WAY OPTION: a bundle, with limits
bundle() {
    mkdir -p "$1/rootfs/bin" "$1/rootfs/dev" "$1/rootfs/proc" "$1/rootfs/sys"
    cp "$(command -v busybox)" "$1/rootfs/bin/busybox"
    for applet in sh sleep cat dd; do
        ln -sf busybox "$1/rootfs/bin/$applet"
    done
    chmod 777 "$1"
    $2 "$rnet" spec $3 --bundle "$1"
    edit "$1" '.process.terminal = false | .root.readonly = false
        | .process.args = ["/bin/sleep", "1000"]
        | .linux.resources += {memory: {limit: 67108864, swap: 100663296,
                reservation: 33554432},
            cpu: {shares: 512, quota: 20000, period: 50000},
            pids: {limit: 20}}'
}

edit() { # DIR FILTER
    jq "$2" "$1/config.json" >"$work/edited" && cp "$work/edited" \
        "$1/config.json"
}

limits_are_set() {
    has memory.max 67108864 && has memory.swap.max 33554432 &&
        has memory.low 33554432 && has cpu.max "20000 50000" &&
        has cpu.weight 59 && has pids.max 20
}

update_is_in_force() {
    $way "$rnet" $options update --memory 134217728 --memory-swap 268435456 \
        --pids-limit 30 --cpu-quota 30000 "$id" || return 1
    has memory.max 134217728 && has memory.swap.max 134217728 &&
        has pids.max 30 && has cpu.max "30000 50000" && has cpu.weight 59
}

reload_keeps_limits() {
    if [ "$way" = as_root ]; then
        systemctl daemon-reload
    else
        as_user systemctl --user daemon-reload
    fi
    has memory.max 134217728 && has pids.max 30 && has cpu.max "30000 50000"
}

pause_freezes() {
    $way "$rnet" $options pause "$id" || return 1
    grep -q '^frozen 1' "$cgroup/cgroup.events" || return 1
    [ "$($way "$rnet" state "$id" | jq -r .status)" = paused ]
}

resume_thaws() {
    $way "$rnet" $options resume "$id" || return 1
    grep -q '^frozen 0' "$cgroup/cgroup.events" || return 1
    [ "$($way "$rnet" state "$id" | jq -r .status)" = running ]
}

stats_are_true() {
    local stats=$work/stats-$EUID
    $way "$rnet" $options events --stats "$id" >"$stats" || return 1
    cat "$stats"
    jq -e '.type == "stats" and .data.memory.usage.limit == 134217728
        and .data.memory.usage.usage > 0 and .data.pids.current == 1
        and .data.pids.limit == 30 and (.data.cpu.usage | has("total"))' \
        "$stats"
}

exec_is_in_the_cgroup() {
    local own
    own=$($way "$rnet" $options exec "$id" /bin/cat /proc/self/cgroup)
    echo "$own"
    # in a cgroup namespace of its own the container is at the root
    [ "$own" = 0::/ ] || [ "$cgroup" = "/sys/fs/cgroup${own#0::}" ]
}

nothing_is_left() {
    [ ! -e "$cgroup" ] || { echo "$cgroup is left"; return 1; }
    [ -z "$unit" ] && return 0
    if [ "$way" = as_root ]; then
        state=$(systemctl show -P LoadState "$unit")
    else
        state=$(as_user systemctl --user show -P LoadState "$unit")
    fi
    [ "$state" = not-found ] || { echo "$unit: $state"; return 1; }
}

# life WHAT WAY BUNDLE OPTIONS: a container's life in one of the four ways
life() {
    local what=$1 pid
    way=$2
    options=$4
    id=host-$way-$RANDOM
    unit=
    case $options in *systemd*) unit=rnet-$id.scope ;; esac
    check "$what: create" $way "$rnet" $options create --bundle "$3" \
        --pid-file "$work/pid-$id" "$id"
    pid=$(cat "$work/pid-$id") || return
    cgroup=/sys/fs/cgroup$(cut -d: -f3- "/proc/$pid/cgroup")
    echo "# $cgroup"
    check "$what: limits are set" limits_are_set
    check "$what: start" $way "$rnet" $options start "$id"
    check "$what: exec is in the cgroup" exec_is_in_the_cgroup
    check "$what: pause freezes" pause_freezes
    check "$what: resume thaws" resume_thaws
    check "$what: update is in force" update_is_in_force
    # what is made beside a unit of systemd's is at its mercy
    [ -z "$unit" ] ||
        check "$what: daemon-reload keeps the limits" reload_keeps_limits
    check "$what: events --stats" stats_are_true
    check "$what: pause again" pause_freezes
    check "$what: delete --force of a paused one" \
        $way "$rnet" $options delete --force "$id"
    check "$what: nothing is left" nothing_is_left
}

# refused TEXT HINT COMMAND...: fails, and says both
refused() {
    local text=$1 hint=$2
    shift 2
    if "$@" >"$work/refusal" 2>&1; then
        echo "it was taken"
        return 1
    fi
    cat "$work/refusal"
    grep -qF -- "$text" "$work/refusal" && grep -qF -- "$hint" "$work/refusal"
}

oom_kills() {
    edit "$1" '.process.args = ["/bin/sh", "-c",
        "x=a; while :; do x=$x$x; done"]
        | .linux.resources.memory = {limit: 16777216, swap: 16777216}'
    $2 "$rnet" --systemd-cgroup run --bundle "$1" "oom-$RANDOM"
    status=$?
    echo "status $status"
    [ "$status" = 137 ]
}

devices_are_denied() {
    edit "$1" '.process.args = ["/bin/sh", "-c",
            "echo x >/dev/null && ! echo x >/dev/kmsg"]
        | .linux.devices = [{path: "/dev/kmsg", type: "c", major: 1,
            minor: 11, fileMode: 438}]'
    "$rnet" $2 run --bundle "$1" "devices-$RANDOM"
}

devices_are_allowed() {
    edit "$1" '.process.args = ["/bin/sh", "-c", "echo x >/dev/kmsg"]
        | .linux.resources.devices += [{allow: true, type: "c", major: 1,
            minor: 11, access: "rw"}]'
    "$rnet" $2 run --bundle "$1" "devices-$RANDOM"
}

if [ -n "$inside" ]; then
    scope=/sys/fs/cgroup$(cut -d: -f3- /proc/self/cgroup)
    mkdir "$scope/leaf" && echo $$ >"$scope/leaf/cgroup.procs" || exit 1
    life "user directly" directly "$work/user" ""
    echo "$count" >"$work/count"
    exit $failed
fi

bundle "$work/root" as_root ""
bundle "$work/user" as_user --rootless
bundle "$work/nobody" as_nobody --rootless
life "root by systemd" as_root "$work/root" --systemd-cgroup
life "root directly" as_root "$work/root" ""
life "user by systemd" as_user "$work/user" --systemd-cgroup
as_user systemd-run --user --scope --quiet -p Delegate=yes \
    bash "$(readlink -f "$0")" "$rnet" "$user" "$work" "$count" || failed=1
count=$(cat "$work/count")

cp -r "$work/user" "$work/pages"
edit "$work/pages" '.linux.resources.hugepageLimits =
    [{pageSize: "2MB", limit: 2097152}]'
check "user: a controller that is not delegated is named" \
    refused linux.resources.hugepageLimits delegate.conf \
    as_user "$rnet" --systemd-cgroup run --bundle "$work/pages" pages
check "user: a limit outside what is delegated is named" \
    refused linux.resources.memory.limit --systemd-cgroup \
    as_user "$rnet" run --bundle "$work/user" outside
check "user: a limit without a manager is named" \
    refused linux.resources.memory.limit --cgroup-manager \
    as_user "$rnet" --cgroup-manager disabled run --bundle "$work/user" none
check "user: without a bus the remedy is named" \
    refused /bus enable-linger as_nobody \
    "$rnet" --root "/tmp/rnet-nobody-$$" --systemd-cgroup run \
    --bundle "$work/nobody" nobus
rm -rf "/tmp/rnet-nobody-$$"
cp -r "$work/user" "$work/free"
edit "$work/free" 'del(.linux.resources) | .process.args = ["/bin/sh", "-c",
    "exit 7"]'
runs_free() { as_user "$rnet" run --bundle "$work/free" free; [ $? = 7 ]; }
check "user: without limits none is needed" runs_free

cp -r "$work/user" "$work/oom-user"
cp -r "$work/root" "$work/oom-root"
cp -r "$work/root" "$work/devices"
check "root: too much memory kills" oom_kills "$work/oom-root" as_root
check "user: too much memory kills" oom_kills "$work/oom-user" as_user
check "root by systemd: a device that is not allowed" \
    devices_are_denied "$work/devices" --systemd-cgroup
check "root directly: a device that is not allowed" \
    devices_are_denied "$work/devices" ""
check "root by systemd: a device that is allowed" \
    devices_are_allowed "$work/devices" --systemd-cgroup

echo "1..$count"
exit $failed
