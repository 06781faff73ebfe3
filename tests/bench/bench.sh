#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench: rnet beside the plain loopback and every peer on PATH, one run.
#
#   bench.sh RNET BENCH-LOAD JSON      (make bench)
#
# Everything runs in a mount, network and pid namespace of its own ("the
# world"), with addresses of its own; the end of its first process is the end
# of all others. As root the helpers run as BENCH_USER. From the environment:
#
#   BENCH_QUICK=1     one short round, under 3 minutes
#   BENCH_ROUNDS=N    rounds; medians are shown (3)
#   BENCH_SECONDS=N   of a measurement (2)
#   BENCH_STARTS=N    rounds of starting a container that does nothing (40)
#   BENCH_CONNS=N     connections held for the memory figure (10000)
#   BENCH_ONLY="..."  these columns only; loopback is always there
#   BENCH_PARTS="..." of "network", "dialects" and "runtimes" (all)
#   BENCH_INSTALL=1   install the peers' Debian packages first
#   BENCH_USER=NAME   an ordinary user (nobody)
set -u

here=$(cd "$(dirname "$0")" && pwd)
if [ $# != 3 ]; then
    echo "usage: bench.sh RNET BENCH-LOAD JSON" >&2
    exit 2
fi
quick=${BENCH_QUICK:-0}
if [ "$quick" != 0 ]; then
    rounds=${BENCH_ROUNDS:-1} seconds=${BENCH_SECONDS:-0.5}
    conns=${BENCH_CONNS:-1000} starts=3 udp_seconds=0.1
    noop_rounds=${BENCH_STARTS:-10}
else
    rounds=${BENCH_ROUNDS:-3} seconds=${BENCH_SECONDS:-2}
    conns=${BENCH_CONNS:-10000} starts=5 udp_seconds=0.4
    noop_rounds=${BENCH_STARTS:-40}
fi
parts=${BENCH_PARTS:-network dialects runtimes}

say() { echo "bench: $*" >&2; }

install_peers() {
    local packages="slirp4netns passt rootlesskit crun runc iproute2 uidmap"
    [ "$(id -u)" = 0 ] || { say "BENCH_INSTALL needs root"; exit 1; }
    say "installing $packages"
    # shellcheck disable=SC2086 # a list
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $packages >/dev/null || exit 1
}

# The world's first process: this script again, in new namespaces.
enter_world() {
    local dir status world=
    local flags=(--mount --net --pid --fork --mount-proc --kill-child)
    [ "${BENCH_INSTALL:-0}" = 0 ] || install_peers
    command -v ip >/dev/null || { say "ip is missing (iproute2)"; exit 1; }
    [ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
    dir=$(mktemp -d "${TMPDIR:-/tmp}/rnet-bench.XXXXXX") || exit 1
    # unshare stays through INT and TERM; its death is the world's
    # shellcheck disable=SC2064 # this directory
    trap "[ -z \$world ] || kill -KILL \$world; wait; rm -rf '$dir'" EXIT
    trap 'exit 130' INT TERM HUP
    chmod 755 "$dir"
    # helpers of an ordinary user cannot enter just any build directory
    # and without symbols: rnet copies itself, and nobody installs them
    install -s -m 755 "$1" "$dir/rnet" &&
        install -m 755 "$2" "$dir/bench-load" || exit 1
    BENCH_WORLD=$dir BENCH_REAL_UID=$(id -u) \
        unshare "${flags[@]}" -- "$BASH" "$0" "$@" &
    world=$!
    wait $world # not in the foreground: the trap has to run at once
    status=$?
    world=
    exit "$status"
}

if [ -z "${BENCH_WORLD:-}" ]; then
    enter_world "$@"
fi

# In the world from here on.
dir=$BENCH_WORLD
json=$3
load=$dir/bench-load
samples=$dir/samples
left_out=$dir/left-out
log=$dir/log
user=${BENCH_USER:-nobody}
: >"$samples"
: >"$left_out"
# shellcheck source=tests/bench/world.sh
. "$here/world.sh"
# shellcheck source=tests/bench/variants.sh
. "$here/variants.sh"
# shellcheck source=tests/bench/measure.sh
. "$here/measure.sh"
# shellcheck source=tests/bench/dialects.sh
. "$here/dialects.sh"
# shellcheck source=tests/bench/runtimes.sh
. "$here/runtimes.sh"

measure_network() {
    for ((round = 1; round <= rounds; round++)); do
        while read -r variant groups _ start arguments; do
            wanted "$variant" || continue
            say "round $round of $rounds: $variant"
            # shellcheck disable=SC2086 # a list
            run_variant "$groups" "$start" $arguments
        done <<<"$variants"
    done
}

make_world || exit 1
set_as
make_bundle "$dir/bundle"
started=$(date -Is)
load_before=$(cut -d ' ' -f 1-3 /proc/loadavg)
case $parts in
*runtimes*) measure_runtimes ;;
esac
case $parts in
*network*) measure_network ;;
esac
case $parts in
*dialects*) measure_dialects ;;
esac
describe >"$dir/about"
awk -v json="$dir/bench.json" -f "$here/report.awk" \
    "$dir/about" "$here/rows" "$left_out" "$samples" || exit 1
cp "$dir/bench.json" "$json" && echo "all figures: $json"
