# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# cni-cases.bash: rnet-cni by the protocol, for whoever runs it; sourced.
# shellcheck disable=SC2154 # of world.bash

plugins=/usr/lib/cni # of containernetworking-plugins
port=$((20000 + $$ % 10000))

# set_up_cni: in a world whose /run is its own
set_up_cni() {
    mkdir -p "$dir/files/cni"
    ln -sf "$runtime" "$dir/files/cni/rnet-cni"
    plugin=$dir/files/cni/rnet-cni
    state_dir=/run/rnet
    open_service
}

# conf VERSION [MEMBERS]: a configuration; the members begin with a comma
conf() {
    echo "{\"cniVersion\":\"$1\",\"name\":\"${network:-net}\",
        \"type\":\"rnet-cni\"${2:-}}"
}

# mapping [HOSTIP]: a runtimeConfig with the published port
mapping() {
    echo ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":$port,
        \"containerPort\":80,\"protocol\":\"tcp\"${1:+,\"hostIP\":\"$1\"}}]}"
}

# call STATUS COMMAND CONF [CONTAINER [NETNS]]: what a runtime does
call() {
    local netns=${5-/run/netns/web} program=${program:-$plugin}
    expect "$1" env CNI_COMMAND="$2" CNI_CONTAINERID="${4:-box}" \
        ${netns:+CNI_NETNS="$netns"} CNI_IFNAME="${interface:-eth0}" \
        CNI_PATH="$dir/files/cni:$plugins" timeout -k 5 "$deadline" \
        "$program" <<<"$3"
}

# inside COMMAND...: in the namespace "web"
inside() {
    ip netns exec web "$@"
}

# serve: a page on port 80 there
serve() {
    mkdir -p "$dir/files/page"
    echo page >"$dir/files/page/index.html"
    # it leaves a child behind that listens already
    inside busybox httpd -p 80 -h "$dir/files/page"
}

stop_serving() {
    local pid
    for pid in $(processes httpd); do
        kill "$pid"
    done
    wait_for_end httpd
}

# fetch URL [COMMAND...]: with the command in front
fetch() {
    local url=$1
    shift
    expect 0 "$@" timeout "$deadline" busybox wget -q -O - "$url"
    is page
}

# refused CODE: the last call's error on stdout
refused() {
    has "\"code\": $1"
    has '"msg": "'
}

# no_processes [MESSAGE]: of any network, in time
no_processes() {
    wait_for_networks
    [ -z "$(processes rnet-)" ] || fail "${1:-}$(processes rnet-)"
}

clean_up() {
    local name pid
    for pid in $(processes httpd) $(processes rnet-monitor); do
        kill -9 "$pid"
    done
    wait_for_networks
    for name in $(ip netns list | cut -d ' ' -f 1); do
        ip netns del "$name"
    done
    rm -rf "$state_dir/@networks"
}

test_version_tells_all_versions() {
    local version
    call 0 VERSION '{"cniVersion":"1.0.0"}'
    has '"cniVersion": "1.0.0"'
    for version in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
        has "\"$version\""
    done
    call 0 VERSION '{"cniVersion":"9.0.0"}'
    has supportedVersions
}

test_add_and_del_make_and_end_a_network() {
    ip netns add web
    call 0 ADD "$(conf 1.1.0 "$(mapping)")"
    has '"address": "10.0.2.100/24"'
    has '"gateway": "fd00::2"'
    has '"sandbox": "/run/netns/web"'
    has '"nameservers": ['*10.0.2.3
    expect 0 inside busybox ip address show eth0
    has 10.0.2.100/24
    expect 0 inside busybox ip route
    has "default via 10.0.2.2 dev eth0"
    serve
    fetch "http://127.0.0.1:$port/"
    fetch "http://[::1]:$port/"
    call 0 DEL "$(conf 1.1.0 "$(mapping)")"
    is ""
    run inside busybox ip address show eth0
    [ "$status" != 0 ] || fail "$out"
    run timeout "$deadline" busybox wget -q -O - "http://127.0.0.1:$port/"
    [ "$status" != 0 ] || fail "$out"
    call 0 DEL "$(conf 1.1.0)"
    call 0 DEL "$(conf 1.1.0)" box ""
    stop_serving
    ip netns del web
}

test_add_answers_in_the_asked_version() {
    local version
    ip netns add web
    for version in 0.1.0 0.2.0; do
        call 0 ADD "$(conf $version)"
        has "\"cniVersion\": \"$version\""
        has '"ip4": {'*'"ip": "10.0.2.100/24"'
        has '"ip6": {'
        has_not interfaces
        call 0 DEL "$(conf $version)"
    done
    for version in 0.3.0 0.3.1 0.4.0; do
        call 0 ADD "$(conf $version)"
        has "\"cniVersion\": \"$version\""
        has '"version": "4"'
        call 0 DEL "$(conf $version)"
    done
    call 0 ADD "$(conf 1.0.0)"
    has interfaces
    has_not '"version": "4"'
    has_not '"mtu"'
    call 0 DEL "$(conf 1.0.0)"
    ip netns del web
}

test_configuration_is_heeded() {
    local server members
    mkdir -p "$dir/files/page"
    echo page >"$dir/files/page/index.html"
    ip netns add web
    # on the host's loopback, which the gateway then is
    busybox httpd -p "127.0.0.1:$((port + 1))" -h "$dir/files/page"
    members=',"mtu":1400,"cidr":"10.9.0.0/16","ipv6":false'
    members+=',"hostLoopback":true'
    interface=net1 call 0 ADD "$(conf 1.1.0 "$members")"
    has '"address": "10.9.0.100/16"'
    has '"mtu": 1400'
    has_not fd00
    expect 0 inside busybox ip link show net1
    has "mtu 1400"
    server="http://10.9.0.2:$((port + 1))/"
    fetch "$server" inside
    interface=net1 call 0 DEL "$(conf 1.1.0)"
    stop_serving
    ip netns del web
}

test_ports_of_both_loopbacks_are_shared() {
    mkdir -p "$dir/files/page"
    echo page >"$dir/files/page/index.html"
    ip netns add web
    busybox httpd -p "127.0.0.1:$port" -h "$dir/files/page"
    call 0 ADD "$(conf 1.1.0 ",\"exposeHost\":[$port],
        \"publishAll\":\"$((port + 1))-$((port + 9))\"")"
    fetch "http://10.0.2.2:$port/" inside
    inside busybox ip link set lo up
    fetch "http://127.0.0.1:$port/" inside
    inside busybox httpd -p "$((port + 2))" -h "$dir/files/page"
    fetch_soon "http://127.0.0.1:$((port + 2))/"
    is page
    stop_serving
    call 0 DEL "$(conf 1.1.0)"
    ip netns del web
}

test_capabilities_are_heeded() {
    ip netns add web
    call 0 ADD "$(conf 1.1.0 ',"runtimeConfig":{
        "mac":"02:00:00:00:00:77","ips":["10.0.2.77/24"],
        "dns":{"servers":["192.0.2.53"],"searches":["example"]}}')"
    has '"mac": "02:00:00:00:00:77"'
    has '"address": "10.0.2.77/24"'
    has '"nameservers": ['*'192.0.2.53"'
    has example
    has_not 10.0.2.3\"
    expect 0 inside busybox ip address show eth0
    has 02:00:00:00:00:77
    has 10.0.2.77/24
    call 0 DEL "$(conf 1.1.0)"
    call 0 ADD "$(conf 1.1.0 "$(mapping 127.0.0.1)")"
    serve
    fetch "http://127.0.0.1:$port/"
    run timeout "$deadline" busybox wget -q -O - "http://127.0.0.2:$port/"
    [ "$status" != 0 ] || fail "$out"
    stop_serving
    call 0 DEL "$(conf 1.1.0)"
    call 1 ADD "$(conf 1.1.0 ',"runtimeConfig":{
        "bandwidth":{"ingressRate":1000}}')"
    refused 2
    has runtimeConfig.bandwidth
    call 0 DEL "$(conf 1.1.0 ',"runtimeConfig":{
        "bandwidth":{"ingressRate":1000}}')" # what a runtime does then
    call 1 ADD "$(conf 1.1.0 ',"runtimeConfig":{"aliases":["web"]}')"
    refused 2
    has runtimeConfig.aliases
    ip netns del web
}

test_failure_has_a_code_and_leaves_nothing() {
    local line
    ip netns add web
    call 1 ADD "$(conf 2.0.0)"
    refused 1
    call 1 ADD '{'
    refused 6
    call 1 ADD "$(conf 1.1.0 ',"mtu":1')"
    refused 7
    call 1 ADD "$(conf 1.1.0)" box ""
    refused 4
    has CNI_NETNS
    call 1 ADD "$(conf 1.1.0)" box /run/netns/none
    refused 4
    call 1 ADD "$(conf 1.1.0)" box "/proc/$$/ns/net"
    refused 4
    call 1 ADD "$(conf 1.1.0)" a/b
    refused 4
    interface=longer-than-it-may-be call 1 ADD "$(conf 1.1.0)"
    refused 4
    call 1 RENAME "$(conf 1.1.0)"
    refused 4
    call 1 CHECK "$(conf 0.3.1)"
    refused 1
    # an answer that nobody takes
    for line in "exec $plugin >/dev/full" \
        "exec 5> >(:); wait \$!; exec $plugin >&5"; do
        printf '#!/bin/bash\n%s\n' "$line" >"$dir/files/mute"
        chmod 755 "$dir/files/mute"
        program=$dir/files/mute call 1 ADD "$(conf 1.1.0)"
        no_processes "$line: "
    done
    inside busybox ip link add eth0 type dummy 2>/dev/null ||
        inside ip link add eth0 type veth peer name eth9
    call 1 ADD "$(conf 1.1.0 "$(mapping)")"
    refused 100
    no_processes
    ip netns del web
}

test_second_add_is_refused() {
    ip netns add web
    call 0 ADD "$(conf 1.1.0)"
    call 1 ADD "$(conf 1.1.0)"
    refused 100
    interface=eth1 call 1 ADD "$(conf 1.1.0)"
    refused 100
    has cni@net@box@eth0
    call 0 DEL "$(conf 1.1.0)"
    ip netns del web
}

test_check_finds_what_is_wrong() {
    local result pid
    ip netns add web
    call 0 ADD "$(conf 1.1.0)"
    result=",\"prevResult\":$out"
    call 0 CHECK "$(conf 1.1.0 "$result")"
    is ""
    call 1 CHECK "$(conf 1.1.0)"
    refused 7
    inside busybox ip link set eth0 down
    call 1 CHECK "$(conf 1.1.0 "$result")"
    refused 101
    inside busybox ip link set eth0 up
    call 0 DEL "$(conf 1.1.0)"
    call 0 ADD "$(conf 1.1.0)"
    inside busybox ip address del 10.0.2.100/24 dev eth0
    call 1 CHECK "$(conf 1.1.0 "$result")"
    refused 101
    has 10.0.2.100
    call 0 DEL "$(conf 1.1.0)"
    call 0 ADD "$(conf 1.1.0)"
    for pid in $(processes rnet-monitor); do
        kill -9 "$pid"
    done
    wait_for_networks
    call 1 CHECK "$(conf 1.1.0 "$result")"
    refused 101
    has "nobody keeps"
    call 0 ADD "$(conf 1.1.0)" # what the dead one left is no hindrance
    call 0 CHECK "$(conf 1.1.0 "$result")"
    call 0 DEL "$(conf 1.1.0)"
    ip netns del web
}

test_check_fails_while_the_relay_is_dead() {
    local result pid i
    ip netns add web
    call 0 ADD "$(conf 1.1.0)"
    result=$(conf 1.1.0 ",\"prevResult\":$out")
    # each one that is killed lets the next take longer to come
    for i in {1..100}; do
        for pid in $(processes rnet-relay); do
            kill -9 "$pid"
        done
        run env CNI_COMMAND=CHECK CNI_CONTAINERID=box CNI_IFNAME=eth0 \
            CNI_NETNS=/run/netns/web "$plugin" <<<"$result"
        [ "$status" = 0 ] || break
    done
    [ "$status" = 1 ] || fail "$i relays were killed: $out"
    refused 101
    has relay
    call 0 DEL "$(conf 1.1.0)"
    ip netns del web
}

test_gc_ends_what_is_not_valid() {
    local name valid=',"cni.dev/valid-attachments":'
    for name in web one two; do
        ip netns add $name
        call 0 ADD "$(conf 1.1.0)" $name /run/netns/$name
    done
    ip netns add other
    network=other call 0 ADD "$(network=other conf 1.1.0)" other \
        /run/netns/other
    call 1 GC "$(conf 1.1.0)"
    refused 7
    call 0 GC "$(conf 1.1.0 "$valid[
        {\"containerID\":\"web\",\"ifname\":\"eth0\"},
        {\"containerID\":\"one\",\"ifname\":\"eth1\"}]")"
    expect 0 ls "$state_dir/@networks"
    is $'cni@net@web@eth0\ncni@other@other@eth0'
    call 0 GC "$(conf 1.1.0 "${valid}null")"
    call 0 GC "$(network=other conf 1.1.0 "$valid[]")"
    no_processes
    for name in web one two other; do
        ip netns del $name
    done
}

test_status_tells_what_is_missing() {
    call 0 STATUS "$(conf 1.1.0)"
    is ""
    [ -e /dev/net/tun ] || return 0
    expect 1 unshare -m sh -c "mount --bind /dev/null /dev/net/tun &&
        CNI_COMMAND=STATUS exec '$plugin'" <<<"$(conf 1.1.0 ',"link":"tap"')"
    refused 50
    has tap0
}

test_chain_passes_results_on() {
    local first second
    [ -x $plugins/loopback ] && [ -x $plugins/tuning ] ||
        skip "no loopback and tuning in $plugins"
    ip netns add web
    first='{"cniVersion":"1.0.0","name":"net","type":"loopback"}'
    second='{"cniVersion":"1.0.0","name":"net","type":"tuning",
        "sysctl":{"net.ipv4.ip_default_ttl":"77"}'
    program=$plugins/loopback interface=lo call 0 ADD "$first"
    call 0 ADD "$(conf 1.0.0 "$(mapping),\"prevResult\":$out")"
    has '"name": "lo"'
    has '"name": "eth0"'
    has '"interface": 1'
    program=$plugins/tuning call 0 ADD "$second,\"prevResult\":$out}"
    has '"name": "eth0"'
    expect 0 inside cat /proc/sys/net/ipv4/ip_default_ttl
    is 77
    expect 0 inside busybox ip address show eth0
    call 0 DEL "$(conf 1.0.0)"
    ip netns del web
}

test_network_ends_with_the_namespaces_path() {
    ip netns add web
    call 0 ADD "$(conf 1.1.0 "$(mapping)")"
    [ -n "$(processes rnet-monitor)" ] || fail "no monitor"
    ip netns del web
    no_processes
    call 0 DEL "$(conf 1.1.0)" # which the runtime does all the same
}

test_ten_at_once_are_independent() {
    local i pids=()
    for i in {1..10}; do
        (
            name=n$i
            ip netns add $name
            call 0 ADD "$(conf 1.1.0)" $name /run/netns/$name
            call 0 CHECK "$(conf 1.1.0 ",\"prevResult\":$out")" $name \
                /run/netns/$name
            call 0 DEL "$(conf 1.1.0)" $name /run/netns/$name
            ip netns del $name
        ) >"$dir/files/out.$i" 2>&1 &
        pids+=($!)
    done
    for i in {1..10}; do
        wait "${pids[$((i - 1))]}" || fail "$i: $(cat "$dir/files/out.$i")"
    done
}

test_end_leaves_nothing() {
    expect 0 ip netns list
    is ""
    [ -z "$(processes rnet-)" ] || fail "$(processes rnet-)"
    umount /run/netns 2>/dev/null # `ip netns add` makes it a mount
    check_nothing_left
}
