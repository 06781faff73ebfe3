# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# world.bash: what the tests with real clients have in common; sourced.
#
# A test program sources this, calls enter_world, sets up its client, defines
# functions test_<what>_<condition>_<expected> and calls run_tests, which runs
# them in the order of the file, each in a subshell, and prints TAP.
#
# The world, when root starts it: namespaces of mounts, pids, network (lo
# alone), IPC, UTS and cgroups; the program is pid 1, so what it forgets ends
# with it. /run, /var/lib, /var/tmp, /etc and /dev are private, files are kept
# in a tmpfs at $dir. An ordinary user gets a directory and nothing else.
#
# Environment: RNET_BINARY is the runtime under test: rnet, or crun or runc by
# which the tests themselves are checked. RNET_TEST_ONLY is a pattern of the
# names of tests to run, RNET_TEST_TIMES=1 shows when each ends,
# RNET_TEST_DEADLINE is how many seconds a command may take.

set -u
shopt -s extglob
umask 022

runtime=${RNET_BINARY:-}
if [ -z "$runtime" ]; then
    runtime=$PWD/rnet
    [ -x "$runtime" ] || runtime=$(dirname "$0")/../../rnet
fi

deadline=${RNET_TEST_DEADLINE:-60}
user=rnetclient # whom the rootless client runs as
user_id=23456
user_sub_ids=2000000

# --- TAP -------------------------------------------------------------------

# skip_all REASON: the whole program, which fails where everything is required
skip_all() {
    if [ "${RNET_TEST_REQUIRE:-0}" = 1 ]; then
        printf '1..1\nnot ok 1 - %s\n' "$1"
        exit 1
    fi
    echo "1..0 # SKIP $1"
    exit 0
}

# need PROGRAM...: skips all where a client is not installed
need() {
    local program
    PATH=$PATH:/usr/sbin:/sbin
    for program in "$@"; do
        command -v "$program" >/dev/null || skip_all "no $program here"
    done
    [ -x "$runtime" ] || skip_all "no runtime at $runtime"
}

# need_root: skips all for an ordinary user, also where everything is required
need_root() {
    [ "$(id -u)" = 0 ] || {
        echo "1..0 # SKIP needs root"
        exit 0
    }
}

# skip REASON: ends a test, which fails where everything is required
skip() {
    [ "${RNET_TEST_REQUIRE:-0}" != 1 ] || fail "$1"
    echo "$1" >"$dir/files/skip"
    exit 77
}

# fail TEXT: ends a test
fail() {
    echo "$*"
    exit 1
}

# run COMMAND...: $status, $out and $err are what came of it
run() {
    out=$("$@" 2>"$dir/files/stderr")
    status=$?
    err=$(cat "$dir/files/stderr")
}

# expect STATUS COMMAND...: run, which must end with that status
expect() {
    local expected=$1
    shift
    run "$@"
    [ "$status" = "$expected" ] || {
        echo "$*"
        echo "status $status instead of $expected"
        printf 'stdout: %s\nstderr: %s\n' "$out" "$err"
        exit 1
    }
}

# is TEXT: all that the last command wrote to stdout
is() {
    [ "$out" = "$1" ] || fail "\"$out\" instead of \"$1\""
}

# fetch_soon URL [MESSAGE]: from a port that opens in its own time; into $out
fetch_soon() {
    local end=$((SECONDS + deadline))
    until run busybox wget -q -O - "$1" && [ "$status" = 0 ]; do
        [ $SECONDS -lt $end ] || fail "${2:-}$1: $err"
    done
}

# has PATTERN: stdout has this part (a pattern of the shell)
has() {
    # shellcheck disable=SC2053
    [[ $out == *$1* ]] || fail "no \"$1\" in \"$out\""
}

# has_not PATTERN: the reverse
has_not() {
    # shellcheck disable=SC2053
    [[ $out != *$1* ]] || fail "\"$1\" in \"$out\""
}

# err_has PATTERN: the same of stderr
err_has() {
    # shellcheck disable=SC2053
    [[ $err == *$1* ]] || fail "no \"$1\" in stderr \"$err\""
}

# tty COMMAND...: runs it on a terminal of its own, as expect does with input
tty() {
    local line
    printf -v line '%q ' "$@"
    # of the end of its input script would tell the program
    SHELL=$BASH timeout -k 5 "$deadline" script -qec "$line" /dev/null <&8 |
        tr -d '\r'
    return "${PIPESTATUS[0]}"
}

# run_tests FILE...: all functions test_* of these (absolute paths); returns the
# program's exit status.
# After one that fails clean_up is called, which the program defines. The
# program's own come last, the one that looks for what is left at the end.
run_tests() {
    local name number=0 failed=0
    cd "$dir/files" || exit 1 # conmon writes files where it was started
    mounts_here >"$dir/files/mounts"
    for name in $(grep -h -o '^test_[a-z0-9_]*' "$@"); do
        # shellcheck disable=SC2053
        [[ ${name#test_} == ${RNET_TEST_ONLY:-*} ]] || continue
        number=$((number + 1))
        ("$name") >"$dir/files/log" 2>&1 </dev/null
        case $? in
        0) echo "ok $number - ${name#test_}" ;;
        77) echo "ok $number - ${name#test_} # SKIP $(cat "$dir/files/skip")" ;;
        *)
            echo "not ok $number - ${name#test_}"
            sed 's/^/# /' "$dir/files/log"
            failed=1
            clean_up
            ;;
        esac
        [ -z "${RNET_TEST_TIMES:-}" ] || echo "# at $SECONDS s"
    done
    echo "1..$number"
    return $failed
}

# --- the world -------------------------------------------------------------

# enter_world: starts the program again inside and ends with it; returns there
enter_world() {
    local status
    if [ -n "${RNET_CLIENT_WORLD:-}" ]; then
        dir=$RNET_CLIENT_WORLD
        [ -n "${RNET_CLIENT_IN_CGROUPS:-}" ] || return
        for_cgroups settle_cgroup
        exec env -u RNET_CLIENT_IN_CGROUPS \
            unshare -n -m -p -i -u -f --kill-child --mount-proc "$0" "$@"
    fi
    dir=$(mktemp -d "${TMPDIR:-/tmp}/rnet-clients.XXXXXX") || exit 1
    if [ "$(id -u)" != 0 ]; then
        # "r" since paths of sockets below it are nearly as long as they may be
        mkdir -m 700 "$dir/r" "$dir/home" "$dir/files" "$dir/tmp"
        env -u DBUS_SESSION_BUS_ADDRESS RNET_CLIENT_WORLD="$dir" \
            RNET_BINARY="$(realpath "$runtime")" HOME="$dir/home" \
            XDG_RUNTIME_DIR="$dir/r" TMPDIR="$dir/tmp" "$0" "$@"
        status=$?
        # what a client has left may belong to sub-ids
        rm -rf "$dir" 2>/dev/null || podman unshare rm -rf "$dir" || status=1
        exit "$status"
    fi
    chmod 755 "$dir"
    runtime=$(realpath "$runtime")
    (
        # into cgroups of the world's own, which it then sees as the roots:
        # below them is whatever the clients make
        for_cgroups join_cgroup
        export RNET_CLIENT_WORLD=$dir RNET_BINARY=$runtime
        RNET_CLIENT_IN_CGROUPS=1 exec unshare -C "$0" "$@"
    ) &
    trap 'kill $!' INT TERM
    wait $! # which a signal ends
    wait $!
    status=$?
    rmdir "$dir" || status=1
    remove_cgroups || status=1
    exit "$status"
}

# for_cgroups FUNCTION: calls it with mount point, type (cgroup, cgroup2) and
# options of every hierarchy that is mounted
for_cgroups() {
    local point rest type options
    while read -r _ _ _ _ point _ rest; do
        read -r type _ options <<<"${rest#*- }"
        [[ $type != cgroup?(2) ]] || "$1" "$point" "$type" "${options#rw,}"
    done </proc/self/mountinfo
}

join_cgroup() {
    local file mine=$1/${dir##*/}
    mkdir "$mine" 2>/dev/null || return
    for file in cpuset.cpus cpuset.mems; do
        # v1's are empty at first, and nobody can go in
        [ "$2" != cgroup ] || [ ! -e "$1/$file" ] ||
            cat "$1/$file" >"$mine/$file"
    done
    echo "$BASHPID" >"$mine/cgroup.procs"
}

# Where v2 has controllers only the leaves may have processes: this one goes
# into one, when its cgroup is the root of the world's already.
settle_cgroup() {
    local controller mine=$1/${dir##*/}
    [ "$2" = cgroup2 ] && mkdir "$mine/program" 2>/dev/null || return
    echo "$BASHPID" >"$mine/program/cgroup.procs"
    for controller in $(cat "$mine/cgroup.controllers"); do
        echo "+$controller" >"$mine/cgroup.subtree_control"
    done
}

# mount_cgroups: the world's own, at the usual place
mount_cgroups() {
    local unified=
    mkdir "$dir/cgroup"
    [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || unified=yes
    [ -n "$unified" ] ||
        mount -t tmpfs -o mode=755 cgroup "$dir/cgroup"
    for_cgroups mount_cgroup
    mount --rbind "$dir/cgroup" /sys/fs/cgroup
}

mount_cgroup() {
    local target=$dir/cgroup/${1#/sys/fs/cgroup}
    [[ $1 == /sys/fs/cgroup* ]] || return
    # crun does not run where v1 controllers and a cgroup2 are mounted
    [ "$2" != cgroup2 ] || [ -n "$unified" ] ||
        [ "${runtime##*/}" != crun ] || return
    mkdir -p "$target"
    mount -t "$2" ${3:+-o "$3"} cgroup "$target"
}

# remove_cgroups: of the world; says so, and fails, where processes are left
remove_cgroups() {
    local left=
    for_cgroups remove_cgroup
    [ -z "$left" ] || echo "# cgroups left behind: $left"
    [ -z "$left" ]
}

remove_cgroup() {
    local path
    while read -r path; do
        # what is frozen does not die
        [ ! -e "$path/freezer.state" ] || echo THAWED >"$path/freezer.state"
        rmdir "$path" || left="$left $path"
    done < <(find "$1/${dir##*/}" -depth -type d 2>/dev/null)
}

# cover DIR SOURCE: SOURCE is seen at DIR in this world
cover() {
    mount --bind "$2" "$1" || exit 1
}

# set_up_world: private directories of the host, as root
set_up_world() {
    mount -t tmpfs -o mode=755 rnet-clients "$dir" || exit 1
    mkdir -m 755 "$dir/bin" "$dir/run" "$dir/lib" "$dir/files"
    mkdir -m 1777 "$dir/tmp"
    export TMPDIR=$dir/tmp
    # the build directory may be closed to the user
    cp "$runtime" "$dir/bin/${runtime##*/}" && runtime=$dir/bin/${runtime##*/}
    chmod 755 "$runtime"
    cp -a /etc "$dir/etc"
    rm -rf "$dir"/etc/{cni,containers,docker,containerd}
    rm -f "$dir/etc/resolv.conf" # which may be a link to somewhere in /run
    echo "nameserver 198.51.100.53" >"$dir/etc/resolv.conf"
    echo "127.0.0.1 localhost" >"$dir/etc/hosts"
    cover /etc "$dir/etc"
    cover /var/lib "$dir/lib"
    cover /var/tmp "$dir/tmp"
    cover /run "$dir/run"
    mkdir -p /run/lock
    export HOME=$dir/home
    mkdir "$HOME"
    make_devices "$dir/dev"
    mount --rbind "$dir/dev" /dev || exit 1
    mount_cgroups
    busybox ip link set lo up
    busybox hostname rnet-host
    mount --make-rshared / # what systemd does, and Podman expects
}

# make_devices DIR: a /dev, whose files the user may open as udev would have it,
# and crun may change the owner of (it does that with its standard input)
make_devices() {
    local name major minor
    mkdir -p "$1"/{net,pts,shm,mqueue}
    while read -r name major minor; do
        mknod -m 666 "$1/$name" c "$major" "$minor" || exit 1
    done <<'DEVICES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
fuse 10 229
net/tun 10 200
DEVICES
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 pts "$1/pts"
    mount -t mqueue mqueue "$1/mqueue"
    # Podman mounts one of its own where there is none
    mount -t tmpfs -o mode=1777 shm "$1/shm"
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    ln -s fd/0 "$1/stdin"
    ln -s fd/1 "$1/stdout"
    ln -s fd/2 "$1/stderr"
}

# make_user: the ordinary user, with sub-ids, in the private /etc
make_user() {
    echo "$user:x:$user_id:$user_id::$dir/home:/bin/sh" >>/etc/passwd
    echo "$user:x:$user_id:" >>/etc/group
    echo "$user:$user_sub_ids:65536" >/etc/subuid
    echo "$user:$user_sub_ids:65536" >/etc/subgid
    install -d -m 755 -o "$user_id" -g "$user_id" "$dir/home" "$dir/files"
    install -d -m 700 -o "$user_id" -g "$user_id" "/run/user/$user_id"
}

# A FIFO through which a service in a container tells that it is ready; kept
# open, so that nobody waits for a reader.
open_service() {
    service=$dir/files/service
    mkfifo "$service"
    exec 9<>"$service"
    mkfifo "$dir/files/quiet" # of which nothing can be read
    exec 8<>"$dir/files/quiet"
}

# await_service [WORD]: until the service has written it
await_service() {
    local word
    read -r -t "$deadline" -u 9 word || fail "the service is silent"
    [ "$word" = "${1:-ready}" ] || fail "the service is $word"
}

# make_rootfs DIR: busybox and what programs expect
make_rootfs() {
    local applet
    mkdir -p "$1"/{bin,etc,proc,sys,dev,tmp,root,var/empty,srv}
    cp "$(command -v busybox)" "$1/bin/busybox"
    for applet in $(busybox --list); do
        [ -e "$1/bin/$applet" ] || ln -s busybox "$1/bin/$applet"
    done
    echo "plain text" >"$1/etc/plain"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' \
        'web:x:1234:1235::/srv:/bin/sh' >"$1/etc/passwd"
    printf '%s\n' 'root:x:0:' 'web:x:1235:' 'extra:x:1236:web' >"$1/etc/group"
    cat >"$1/bin/resident" <<'RESIDENT'
#!/bin/sh
tell() { test ! -p /service || echo "$1" >/service; }
trap 'exit 3' TERM
trap 'tell usr1' USR1
echo ready
tell ready
while :; do
    sleep 1000 &
    wait $!
done
RESIDENT
    chmod 755 "$1/bin/resident"
    chmod 1777 "$1/tmp"
}

# --- what is left ----------------------------------------------------------

mounts_here() {
    cut -d ' ' -f 5 /proc/self/mountinfo | sort
}

# processes [WORD]: the pids of all processes of the world, the program and its
# subshells left out, or of those with this in their command line
processes() {
    local path pid
    for path in /proc/[0-9]*; do
        pid=${path#/proc/}
        [ -z "${1:-}" ] || grep -qsaF -e "$1" "$path/cmdline" || continue
        [ "$$" = 1 ] || tr '\0' '\n' <"$path/environ" 2>/dev/null |
            grep -qxF "RNET_CLIENT_WORLD=$dir" || continue
        [ "$(readlink "$path/exe")" != "$(readlink /proc/$$/exe)" ] ||
            continue
        echo "$pid"
    done
}

# wait_for_end [NAME]: until all of these have ended, or the deadline
wait_for_end() {
    local pid
    for pid in $(processes "$@"); do
        timeout "$deadline" tail --pid="$pid" -f /dev/null 2>/dev/null
    done
}

# wait_for_networks: until those that something detached keeps are over
wait_for_networks() {
    local name
    for name in rnet-monitor rnet-nsagent rnet-relay; do
        wait_for_end $name
    done
}

# no_network: none of the runtime $rt's is left in $state_dir, without waiting
# for more than a monitor's last step
no_network() {
    # shellcheck disable=SC2154 # of who calls it
    [ -z "$(find "$state_dir" -mindepth 1 2>/dev/null)" ] ||
        fail "$rt: $(find "$state_dir")"
    wait_for_end rnet-monitor
    [ -z "$(processes rnet-monitor)" ] || fail "$rt: a monitor is left"
}

# check_nothing_left: no process, no mount, no entry of the runtime's state,
# after what the client itself removes
check_nothing_left() {
    local left
    wait_for_end
    for left in $(processes); do
        fail "process $left: $(tr '\0' ' ' <"/proc/$left/cmdline")"
    done
    left=$(comm -13 "$dir/files/mounts" <(mounts_here))
    [ -z "$left" ] || fail "mounts: $left"
    left=$(find "$state_dir" -mindepth 1 2>/dev/null)
    [ -z "$left" ] || fail "state: $left"
}

# become_user: the program goes on as the ordinary user, if it is root
become_user() {
    if [ "$(id -u)" = 0 ]; then
        # the source directory may be closed to the user, too
        cp -r "${BASH_SOURCE[0]%/*}" "$dir/program" || exit 1
        chmod -R a+rX "$dir/program"
        cd "$dir/files" || exit 1
        exec setpriv --reuid "$user_id" --regid "$user_id" --init-groups \
            env -i PATH="$PATH" HOME="$dir/home" TERM=dumb \
            XDG_RUNTIME_DIR="/run/user/$user_id" TMPDIR="$dir/tmp" \
            RNET_CLIENT_WORLD="$dir" RNET_BINARY="$runtime" \
            RNET_TEST_REQUIRE="${RNET_TEST_REQUIRE:-0}" \
            RNET_TEST_DEADLINE="$deadline" \
            RNET_TEST_ONLY="${RNET_TEST_ONLY:-*}" \
            RNET_TEST_TIMES="${RNET_TEST_TIMES:-}" \
            "$dir/program/${0##*/}" "$@"
    fi
}
