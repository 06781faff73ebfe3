# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# world: the addresses, bundle and processes of the benchmark. Sourced.
#
# 203.0.113.1 on lo is "the network": what the containers connect to, and where
# their ports are published. It is no loopback address, so that nobody treats
# it as one. bench0 has the default route, which pasta copies.
# shellcheck disable=SC2154,SC2034 # shared with the others

net_address=203.0.113.1
out_port=7000 # the server outside
pub_port=7001 # the one in the container

make_world() {
    ulimit -Sn "$(ulimit -Hn)"
    {
        ip link set lo up &&
            ip address add $net_address/32 dev lo &&
            ip link add bench0 type veth peer name bench1 &&
            ip link set bench1 up && ip link set bench0 up &&
            ip address add 198.51.100.1/24 dev bench0 &&
            ip route add default via 198.51.100.2
    } || { say "no network of its own"; return 1; }
    mount -t tmpfs -o mode=755 tmpfs /run || return 1
    mkdir "$dir/user"
    if [ "$BENCH_REAL_UID" = 0 ]; then
        user_id=$(id -u "$user") || return 1
        # crun refuses a host with both versions
        mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
        chown "$user" "$dir/user"
        # rootlesskit runs with a range of ids only
        echo "$user:100000:65536" >"$dir/subid"
        mount --bind "$dir/subid" /etc/subuid &&
            mount --bind "$dir/subid" /etc/subgid || return 1
    else
        user_id=0 # the caller, as the world's user namespace shows it
    fi
    chmod 700 "$dir/user"
    "$load" serve $out_port &
    "$load" await $net_address $out_port 5
}

make_bundle() {
    mkdir -p "$1/rootfs/bin" "$1/rootfs/proc" "$1/rootfs/dev" \
        "$1/rootfs/etc" "$1/rootfs/tmp" "$1/rootfs/sys"
    cp "$load" "$1/rootfs/bin/bench-load"
    cat >"$1/config.json" <<CONFIG
{
  "ociVersion": "1.0.2",
  "root": { "path": "rootfs" },
  "process": {
    "args": ["/bin/bench-load", "serve", "$pub_port"],
    "env": ["PATH=/bin"], "cwd": "/", "user": { "uid": 0, "gid": 0 }
  },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs" }
  ],
  "linux": {
    "uidMappings": [ { "containerID": 0, "hostID": $user_id, "size": 1 } ],
    "gidMappings": [ { "containerID": 0, "hostID": $user_id, "size": 1 } ],
    "namespaces": [ { "type": "user" }, { "type": "mount" },
      { "type": "pid" }, { "type": "network" } ]
  }
}
CONFIG
    chown -R "$user_id:$user_id" "$1"
}

# sets $as to the words that run a command as the ordinary user
set_as() {
    as=(env "HOME=$dir/user" "XDG_RUNTIME_DIR=$dir/user")
    [ "$user_id" = 0 ] || as=(setpriv "--reuid=$user_id" "--regid=$user_id"
        --clear-groups --inh-caps=-all --bounding-set=+all "${as[@]}")
}

list_pids() {
    local path
    for path in /proc/[0-9]*; do
        echo "${path#/proc/}"
    done | sort
}

# the processes that came after the variant was started
list_new_pids() {
    comm -13 "$dir/pids-before" <(list_pids)
}

name_of() {
    local name=
    read -r name 2>/dev/null <"/proc/$1/comm"
    echo "$name"
}

# of those, the helper's: all but the load and the script itself
list_helper_pids() {
    local pid
    for pid in $(list_new_pids); do
        case $(name_of "$pid") in
        '' | bash | bench.sh | bench-load | timeout | comm | sort | tr | cat) ;;
        *) echo "$pid" ;;
        esac
    done
}

# the server in another network namespace than ours
find_payload() {
    local pid own
    own=$(readlink /proc/self/ns/net)
    for pid in $(list_new_pids); do
        if [ "$(name_of "$pid")" = bench-load ] &&
            [ "$(readlink "/proc/$pid/ns/net")" != "$own" ]; then
            echo "$pid"
            return
        fi
    done
    return 1
}

# until SECONDS COMMAND...: tries every 20 ms
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -le $end ] || return 1
        sleep 0.02
    done
}

payload_found() {
    payload=$(find_payload)
}

none_new() {
    local pid
    for pid in $(list_new_pids); do
        case $(name_of "$pid") in
        '' | bash | comm | sort) ;;
        *) return 1 ;;
        esac
    done
}

# ends what the variant started: all that is in the world and was not before
stop_variant() {
    local pid signal
    for signal in TERM KILL; do
        for pid in $(list_new_pids); do
            [ "$pid" = $$ ] || kill -s $signal "$pid" 2>/dev/null
        done
        until_true 2 none_new && return
    done
    say "$variant: processes stay"
}
