# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# measure: what is measured of a variant. Sourced.
#
# A sample is a line "variant, tab, metric, tab, value" in $samples; report.awk
# makes medians of them. A measurement that fails leaves no sample.
# shellcheck disable=SC2154,SC2034 # bench.sh, world.sh and variants.sh

record() {
    printf '%s\t%s\t%s\n' "$variant" "$1" "$2" >>"$samples"
}

# probe PREFIX COMMAND...: "name value" on stdout is the metric PREFIX_name
probe() {
    local prefix=$1 name value
    shift
    timeout -k 1 60 "$@" >"$dir/figures" 2>>"$log" ||
        say "$variant: $prefix: $(tail -n 1 "$log")"
    while read -r name value; do
        record "${prefix}_$name" "$value"
    done <"$dir/figures"
}

# user and system time of the helper's processes, in clock ticks
count_ticks() {
    local pid files=()
    for pid in $helper_pids; do
        [ ! -e "/proc/$pid/stat" ] || files+=("/proc/$pid/stat")
    done
    [ ${#files[@]} != 0 ] || { echo 0; return; }
    awk '{ sub(/.*\) /, ""); ticks += $12 + $13 } END { print ticks }' \
        "${files[@]}"
}

# a bulk transfer with the helper's CPU time beside it
probe_bulk() {
    local prefix=$1 before
    shift
    before=$(count_ticks)
    probe "$prefix" "$@"
    [ -n "$helper_pids" ] || return 0
    record "${prefix}_cpu" "$(awk -v ticks="$(($(count_ticks) - before))" \
        -v rate="$(getconf CLK_TCK)" \
        '$1 == "bytes" && $2 > 0 { print ticks / rate / ($2 / 1e9) }' \
        "$dir/figures")"
}

# PSS of the helper's processes in KiB
measure_pss() {
    local pid files=()
    for pid in $helper_pids; do
        [ ! -r "/proc/$pid/smaps_rollup" ] ||
            files+=("/proc/$pid/smaps_rollup")
    done
    [ ${#files[@]} != 0 ] || return 0
    cat "${files[@]}" 2>>"$log" |
        awk '/^Pss:/ { sum += $2 } END { if (sum) print sum / 1024 }'
}

# measure_group NAME ADDRESS PORT COMMAND...: the command is bench-load, run
# where the clients of the group are
measure_group() {
    local group=$1 to=("$2" "$3")
    shift 3
    probe_bulk "${group}_up1" "$@" bulk "${to[@]}" 1 "$seconds" up
    probe_bulk "${group}_down1" "$@" bulk "${to[@]}" 1 "$seconds" down
    probe_bulk "${group}_up8" "$@" bulk "${to[@]}" 8 "$seconds" up
    probe_bulk "${group}_down8" "$@" bulk "${to[@]}" 8 "$seconds" down
    probe "${group}_conn1" "$@" rate "${to[@]}" 1 "$seconds"
    probe "${group}_conn8" "$@" rate "${to[@]}" 8 "$seconds"
    probe "${group}_rr" "$@" rr "${to[@]}" 1 "$seconds"
    probe "${group}_udpup" "$@" udp "${to[@]}" up "$udp_seconds" 1400
    probe "${group}_udpdown" "$@" udp "${to[@]}" down "$udp_seconds" 1400
    probe "${group}_udprr" "$@" udp-rr "${to[@]}" "$seconds"
}

# memory with many connections that were used once
measure_held() {
    local group=$1 held=0
    shift
    coproc holder { exec timeout -k 1 90 "$@" 2>>"$log"; }
    # the coprocess' variables go when it ends
    local out=${holder[0]} in=${holder[1]} pid=$holder_PID
    read -r -t 60 _ held <&"$out"
    record "${group}_held" "${held:-0}"
    [ -z "$helper_pids" ] ||
        record "${group}_held_pss" "$(measure_pss)"
    exec {in}>&- {out}<&-
    wait "$pid" 2>/dev/null
}

# first byte served after the start of the command
measure_start() {
    local i
    set_start_command "$@"
    [ ${#command[@]} != 0 ] || return 0
    for ((i = 0; i < starts; i++)); do
        probe start timeout -k 1 20 "$load" start "$net_address" "$pub_port" \
            "${command[@]}"
        until_true 2 none_new || stop_variant
    done
}

leave_out() {
    local reason
    reason=$(tail -n 3 "$log" | tr '\t\n' '  ')
    reason=${reason:-its published port does not answer}
    say "$variant left out: $reason"
    printf '%s\t%s\n' "$variant" "$reason" >>"$left_out"
}

# whether a variant was asked for, and has not failed in an earlier round
wanted() {
    ! grep -q "^$1	" "$left_out" || return 1
    [ -n "${BENCH_ONLY:-}" ] && [ "$1" != loopback ] || return 0
    case " $BENCH_ONLY " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

# $inside: the words that run a command in the container's network
set_inside() {
    inside=()
    if [ -n "$payload" ]; then
        inside=(nsenter --target "$payload" --net)
        [ "$BENCH_REAL_UID" = 0 ] || inside+=(--user --preserve-credentials)
    fi
    helper_pids=$(list_helper_pids | tr '\n' ' ')
}

measure_variant() {
    local groups=$1
    set_inside
    record idle_pss "$(measure_pss)"
    case $groups in
    *out*) measure_group out "$out_address" "$out_port" "${inside[@]}" "$load" ;;
    esac
    case $groups in
    *pub*) measure_group pub "$pub_address" "$pub_port" "$load" ;;
    esac
}

# Each by a helper that has carried nothing yet: memory that was used once
# does not all come back. In the first round only, it takes long.
measure_memory() {
    local groups=$1 group
    shift
    for group in out pub; do
        case $groups in
        *$group*) ;;
        *) continue ;;
        esac
        stop_variant
        start_variant "$@" || return 0
        set_inside
        case $group in
        out) measure_held out "${inside[@]}" "$load" hold "$out_address" \
            "$out_port" "$conns" 30 ;;
        pub) measure_held pub "$load" hold "$pub_address" "$pub_port" \
            "$conns" 30 ;;
        esac
    done
}

# start_variant START ARGUMENTS...: until its published port answers
start_variant() {
    payload=
    out_address=$net_address
    pub_address=$net_address
    list_pids >"$dir/pids-before"
    : >"$log"
    "$@" && "$load" await "$pub_address" "$pub_port" 5
}

# run_variant GROUPS START ARGUMENTS...: from start to stop
run_variant() {
    local groups=$1 start=$2
    shift 2
    if start_variant "$start" "$@"; then
        measure_variant "$groups"
        [ "$round" != 1 ] || measure_memory "$groups" "$start" "$@"
        stop_variant
        measure_start "$@"
    else
        leave_out
    fi
    stop_variant
}

version_of() {
    case $1 in
    *-rnet) "$dir/rnet" --version 2>&1 | head -n 1 ;;
    slirp* | s4n) slirp4netns --version 2>&1 | head -n 1 ;;
    pasta*) dpkg-query -W -f 'passt ${Version}\n' passt 2>/dev/null ||
        echo pasta ;;
    rootlesskit | rk-s4n) rootlesskit --version 2>&1 | head -n 1 ;;
    rnet*) "$dir/rnet" --version 2>&1 | head -n 1 ;;
    crun | runc) "$1" --version 2>&1 | head -n 1 ;;
    *) echo "Linux $(uname -r)" ;;
    esac
}

# what report.awk needs to know besides the samples: "@key, tab, value..."
describe() {
    local name groups peer start
    printf '@about\t%s\t%s\n' started "$started" \
        cpus "$(nproc)" \
        cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
        kernel "$(uname -r)" \
        user "$([ "$BENCH_REAL_UID" = 0 ] && echo "$user" || echo caller)" \
        load_before "$load_before" \
        load_after "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
        rounds "$rounds" seconds "$seconds" connections "$conns" \
        starts "$noop_rounds"
    while read -r name groups peer start; do
        printf '@variant\t%s\t%s\t%s\n' "$name" "$peer" "$(version_of "$name")"
    done <<<"$variants"
    while read -r name groups peer start; do
        printf '@variant\t%s\tdialect\t%s\n' "$name" "$(version_of "$name")"
    done <<<"$dialects"
    for name in $runtimes; do
        [ "$name" = rnet ] ||
            printf '@variant\t%s\trun\t%s\n' "$name" "$(version_of "$name")"
    done
}
