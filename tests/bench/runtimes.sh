# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# runtimes: what a runtime costs that starts and removes a container of a
# program that does nothing, without a network. Sourced.
#
# All runtimes of a round follow each other at once, in an order that turns;
# what a ratio compares are two of the same round. The bundles are what
# `runc spec` and `runc spec --rootless` write, but in the host's network
# namespace, with a static program and without a terminal.
# shellcheck disable=SC2154,SC2034 # bench.sh, world.sh and measure.sh

runtimes="rnet crun runc"

program_of() {
    case $1 in
    rnet) echo "$dir/rnet" ;;
    *) command -v "$1" ;;
    esac
}

# to stdout; $1: root or user
write_noop_config() {
    local hidden='"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list",
      "/proc/sched_debug", "/sys/firmware", "/proc/scsi"'
    local caps='["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]'
    local own='"nosuid", "noexec", "nodev"'
    local sys user=
    if [ "$1" = root ]; then
        sys='{ "destination": "/sys", "type": "sysfs", "source": "sysfs",
      "options": ['$own', "ro"] },
    { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
      "options": ['$own', "relatime", "ro"] }'
    else
        sys='{ "destination": "/sys", "type": "none", "source": "/sys",
      "options": ["rbind", '$own', "ro"] }'
        user='"uidMappings": [ { "containerID": 0, "hostID": '$user_id', "size": 1 } ],
    "gidMappings": [ { "containerID": 0, "hostID": '$user_id', "size": 1 } ],'
    fi
    cat <<CONFIG
{
  "ociVersion": "1.0.2",
  "root": { "path": "rootfs", "readonly": true },
  "hostname": "bench",
  "process": {
    "args": ["/bin/bench-load", "nothing"],
    "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/",
    "user": { "uid": 0, "gid": 0 }, "noNewPrivileges": true,
    "capabilities": { "bounding": $caps, "effective": $caps,
      "permitted": $caps },
    "rlimits": [ { "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 } ]
  },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
      "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
      "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666",
        "mode=0620"] },
    { "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
      "options": [$own, "mode=1777", "size=65536k"] },
    { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
      "options": [$own] },
    $sys
  ],
  "linux": {
    $user
    "namespaces": [ { "type": "pid" }, { "type": "ipc" }, { "type": "uts" },
      { "type": "mount" }$([ "$1" = root ] || echo ', { "type": "user" }') ],
    "maskedPaths": [ $hidden ],
    "readonlyPaths": [ "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
      "/proc/sysrq-trigger" ]
  }
}
CONFIG
}

make_noop_bundle() {
    local bundle=$dir/noop-$1
    mkdir -p "$bundle/rootfs/"{bin,dev,proc,sys}
    cp "$load" "$bundle/rootfs/bin/bench-load"
    write_noop_config "$1" >"$bundle/config.json"
    [ "$1" = root ] || chown -R "$user_id:$user_id" "$bundle"
}

# sets $command to what is measured. cost_of WHAT WHO PROGRAM
set_cost_command() {
    local bundle=(--bundle "$dir/noop-$2")
    case $1 in
    run) command=("$3" run "${bundle[@]}" noop) ;;
    life) command=("$3" create "${bundle[@]}" noop ',' "$3" start noop ','
        "$3" delete noop) ;;
    esac
}

# What the last probe found of the variant, and, once rnet's is known, how
# many times it rnet's is.
declare -A noop_figures
keep_figures() {
    local name value
    while read -r name value; do
        noop_figures[$variant,$name]=$value
    done <"$dir/figures"
}

record_ratios() {
    local prefix=$1 name one other
    for variant in $runtimes; do
        [ "$variant" != rnet ] || continue
        for name in ms cpu peak; do
            one=${noop_figures[rnet,$name]:-}
            other=${noop_figures[$variant,$name]:-}
            [ -z "$one" ] || [ -z "$other" ] ||
                record "${prefix}_${name}_ratio" \
                    "$(awk "BEGIN { print $one / $other }")"
        done
    done
}

# measure_noop WHAT WHO ROUND WORDS-BEFORE...
measure_noop() {
    local what=$1 who=$2 turn=$3 names i program
    local command
    shift 3
    read -r -a names <<<"$runtimes"
    noop_figures=()
    for ((i = 0; i < ${#names[@]}; i++)); do
        variant=${names[(i + turn) % ${#names[@]}]}
        program=$(program_of "$variant")
        wanted "$variant" || continue
        [ -n "$program" ] || continue
        set_cost_command "$what" "$who" "$program"
        probe "${what}_$who" "$@" "$load" spawn "${command[@]}"
        keep_figures
    done
    record_ratios "${what}_$who"
}

# an ordinary user's bench has no root to measure
measure_runtimes() {
    local who turn
    for who in root user; do
        [ "$who" = user ] || [ "$BENCH_REAL_UID" = 0 ] || continue
        make_noop_bundle "$who"
        say "$noop_rounds rounds of a container that does nothing: $who"
        for ((turn = 0; turn < noop_rounds; turn++)); do
            if [ "$who" = root ]; then
                measure_noop run root "$turn" env
                measure_noop life root "$turn" env
            else
                measure_noop run user "$turn" "${as[@]}"
                measure_noop life user "$turn" "${as[@]}"
            fi
        done
    done
}
