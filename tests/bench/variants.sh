# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# variants: the columns. Sourced.
#
# Each line: name; the groups that are measured (out: connections to the
# outside, pub: to a published port); the groups in which it counts as a peer
# when the best one is looked for; the start function and its arguments. A
# variant that does not start is left out, with its own words as the reason,
# so an option that this rnet does not know costs nothing.
#
# pasta-lo is pasta's splice between the two loopbacks: the container reaches
# nothing but the host's loopback by it, so it is no peer for "out".
# shellcheck disable=SC2154,SC2034 # bench.sh and measure.sh have them

variants="\
loopback     out,pub -       start_loopback
rnet         out,pub -       start_rnet slirp
rnet-slirp   out,pub -       start_rnet slirp:handoff=off
rnet-packet  out,pub -       start_rnet slirp:link=packet
slirp4netns  out,pub out,pub start_slirp4netns 65520
slirp-1500   out,pub out,pub start_slirp4netns 1500
pasta        out,pub out,pub start_pasta tap
pasta-lo     out,pub pub     start_pasta lo
rootlesskit  pub     pub     start_rootlesskit"

# needs PROGRAM...: or the variant is left out
needs() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || {
            echo "$program is not installed (BENCH_INSTALL=1)" >"$log"
            return 1
        }
    done
}

# A payload in a network namespace of its own, for helpers that are given one.
start_holder() {
    "${as[@]}" unshare --user --map-root-user --net \
        "$load" serve "$pub_port" 2>>"$log" &
    until_true 5 payload_found
}

start_loopback() {
    "$load" serve "$pub_port" &
}

# Outside of a container, as a user with a helper would run it.
start_rnet() {
    "${as[@]}" "$dir/rnet" --root "$dir/user/rnet" run --network "$1" \
        --publish "$pub_port:$pub_port" --publish "$pub_port:$pub_port/udp" \
        --name bench "$dir/bundle" 2>"$log" </dev/null &
    helper=$!
    until_true 5 payload_or_death
    [ -n "$payload" ]
}

# a helper that ends at once need not be waited for
payload_or_death() {
    payload_found || ! kill -0 "$helper" 2>/dev/null
}

socket_exists() {
    [ -S "$1" ]
}

# start_slirp4netns MTU [rnet]: the real one, or rnet under its name
start_slirp4netns() {
    local api=$dir/user/api.sock protocol program=slirp4netns
    [ -z "${2:-}" ] || program=$dir/slirp4netns
    needs "$program" && start_holder || return 1
    rm -f "$api"
    "${as[@]}" "$program" --configure --mtu="$1" --disable-host-loopback \
        --api-socket="$api" "$payload" tap0 >"$log" 2>&1 &
    until_true 5 socket_exists "$api" || return 1
    for protocol in tcp udp; do
        "$load" api "$api" "{\"execute\": \"add_hostfwd\", \"arguments\": {
            \"proto\": \"$protocol\", \"host_addr\": \"0.0.0.0\",
            \"host_port\": $pub_port, \"guest_port\": $pub_port}}" |
            grep -q '"return"' || return 1
    done
}

start_pasta() {
    local ports=(-t "$pub_port" -u "$pub_port" -T none -U none)
    needs pasta && start_holder || return 1
    if [ "$1" = lo ]; then
        ports=(-t "$pub_port" -u "$pub_port" -T "$out_port" -U "$out_port")
        out_address=127.0.0.1
        pub_address=127.0.0.1
    fi
    "${as[@]}" pasta --foreground --quiet --ipv4-only --config-net \
        "${ports[@]}" "$payload" >"$log" 2>&1 &
}

# start_rootlesskit [rnet]: over the real slirp4netns, or rnet's
start_rootlesskit() {
    local program
    needs rootlesskit slirp4netns newuidmap || return 1
    program=$(command -v slirp4netns)
    [ -z "${1:-}" ] || program=$dir/slirp4netns
    rm -rf "$dir/user/rootlesskit"
    "${as[@]}" rootlesskit --state-dir="$dir/user/rootlesskit" \
        --slirp4netns-binary="$program" --net=slirp4netns --mtu=65520 --disable-host-loopback --copy-up=/etc \
        --port-driver=builtin -p "0.0.0.0:$pub_port:$pub_port/tcp" \
        -p "0.0.0.0:$pub_port:$pub_port/udp" \
        "$load" serve "$pub_port" >"$log" 2>&1 &
    helper=$!
    until_true 5 payload_or_death
    [ -n "$payload" ]
}

# The command line that brings a container up, for the start time; as words
# in $command. Only where there is something to compare.
set_start_command() {
    command=()
    case $variant in
    rnet*) command=("${as[@]}" "$dir/rnet" --root "$dir/user/rnet" run
        --network "$1" --publish "$pub_port:$pub_port" --name bench
        "$dir/bundle") ;;
    slirp4netns)
        command -v crun >/dev/null || return 0
        command=("${as[@]}" "$BASH" "$here/crun-slirp4netns.sh" "$dir/bundle"
            "$dir/user" "$load" "$pub_port")
        ;;
    esac
}
