# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dialects: the network as other programs get it from rnet, beside the real
# slirp4netns in the same place. Sourced.
#
# Each line: name; what it is compared with, of the same round; the groups that
# are measured; the start function and its arguments, as in variants.sh.
# shellcheck disable=SC2154,SC2034 # bench.sh, world.sh and measure.sh

dialects="\
s4n          -   out,pub start_slirp4netns 65520
s4n-rnet     s4n out,pub start_slirp4netns 65520 rnet
attach-rnet  s4n out,pub start_attach
up-rnet      s4n out,pub start_up
hook-rnet    s4n out,pub start_hook
cni-rnet     s4n out,pub start_cni
rk-s4n       -   out,pub start_rootlesskit
rk-rnet      rk-s4n out,pub start_rootlesskit rnet"

# rnet under the names that others call it by
link_dialects() {
    ln -s rnet "$dir/slirp4netns" && ln -s rnet "$dir/rnet-cni"
}

rnet_command() {
    "${as[@]}" "$dir/rnet" --root "$dir/user/rnet" "$@"
}

start_attach() {
    start_holder || return 1
    rnet_command attach --publish "$pub_port:$pub_port" "$payload" \
        2>"$log" </dev/null &
}

start_up() {
    rnet_command up --publish "$pub_port:$pub_port" -- \
        "$load" serve "$pub_port" 2>"$log" </dev/null &
    helper=$!
    until_true 5 payload_or_death
    [ -n "$payload" ]
}

# crun with the hook in its bundle's config.json; in createContainer, too, as an
# ordinary user's crun needs it (doc/hooks.md)
start_hook() {
    needs crun || return 1
    cp -r "$dir/bundle/." "$dir/hook-bundle"
    awk -v rnet="$dir/rnet" -v root="$dir/user/rnet" -v port="$pub_port" '
        NR == 2 {
            hook = sprintf("[ { \"path\": \"%s\", \"args\": [\"rnet\", " \
                "\"--root\", \"%s\", \"hook\", \"--publish\", " \
                "\"%s:%s\"] } ]", rnet, root, port, port)
            printf "  \"hooks\": { \"createRuntime\": %s, " \
                "\"createContainer\": %s },\n", hook, hook
        }
        { print }' "$dir/bundle/config.json" >"$dir/hook-bundle/config.json"
    local crun=("${as[@]}" crun --root "$dir/user/crun"
        --cgroup-manager=disabled)
    # the one of the round before, whose crun was killed
    "${crun[@]}" delete --force hooked 2>/dev/null
    "${crun[@]}" run --bundle "$dir/hook-bundle" hooked >"$log" 2>&1 \
        </dev/null &
    helper=$!
    until_true 5 payload_or_death
    [ -n "$payload" ]
}

# A plugin of an ordinary user runs in a user namespace of his, in which the
# container's network namespace is made.
start_cni() {
    "${as[@]}" PATH="$PATH" CNI_COMMAND=ADD CNI_CONTAINERID=bench \
        CNI_IFNAME=eth0 CNI_PATH="$dir" unshare --user --map-root-user \
        "$BASH" -c '
            unshare --net "$1" serve "$2" &
            until [ "$(readlink "/proc/$!/ns/net")" != \
                "$(readlink /proc/self/ns/net)" ]; do :; done
            CNI_NETNS=/proc/$!/ns/net "$3" <<CONFIG
{ "cniVersion": "1.1.0", "name": "bench", "type": "rnet-cni",
  "runtimeConfig": { "portMappings": [ { "hostPort": $2,
    "containerPort": $2, "protocol": "tcp" } ] } }
CONFIG
            wait' bash "$load" "$pub_port" "$dir/rnet-cni" >"$log" 2>&1 &
    helper=$!
    until_true 5 payload_or_death
    [ -n "$payload" ]
}

# measure_dialect_group NAME ADDRESS PORT COMMAND...: as measure_group
measure_dialect_group() {
    local group=$1 to=("$2" "$3")
    shift 3
    probe_dialect "${group}_up1" "$@" bulk "${to[@]}" 1 "$seconds" up
    probe_dialect "${group}_down1" "$@" bulk "${to[@]}" 1 "$seconds" down
    probe_dialect "${group}_conn8" "$@" rate "${to[@]}" 8 "$seconds"
    probe_dialect "${group}_rr" "$@" rr "${to[@]}" 1 "$seconds"
}

# What a round found, to compare with.
declare -A dialect_figures
probe_dialect() {
    local name value other
    probe "$@"
    while read -r name value; do
        dialect_figures[$variant,$1_$name]=$value
        other=${dialect_figures[$compared,$1_$name]:-}
        [ "${other:-0}" = 0 ] || record "$1_${name}_ratio" \
            "$(awk "BEGIN { print $value / $other }")"
    done <"$dir/figures"
}

measure_dialect() {
    local groups=$1
    set_inside
    case $groups in
    *out*) measure_dialect_group dout "$out_address" "$out_port" \
        "${inside[@]}" "$load" ;;
    esac
    case $groups in
    *pub*) measure_dialect_group dpub "$pub_address" "$pub_port" "$load" ;;
    esac
}

measure_dialects() {
    local compared groups start arguments
    link_dialects || return 1
    for ((round = 1; round <= rounds; round++)); do
        dialect_figures=()
        while read -r variant compared groups start arguments; do
            wanted "$variant" || continue
            say "round $round of $rounds: $variant"
            # shellcheck disable=SC2086 # a list
            if start_variant "$start" $arguments; then
                measure_dialect "$groups"
            else
                leave_out
            fi
            stop_variant
        done <<<"$dialects"
    done
}
