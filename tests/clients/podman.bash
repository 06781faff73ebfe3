# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# podman.bash: Podman's configuration and image in the world; sourced.

podman() {
    timeout --foreground -k 5 "$deadline" podman "$@"
}

# set_up_podman: for whoever runs it; root has its configuration in the world's
# own /etc
set_up_podman() {
    state_dir=${XDG_RUNTIME_DIR:-/run}/${runtime##*/}
    local conf=/etc/containers
    [ "$(id -u)" = 0 ] || conf=$HOME/.config/containers
    mkdir -p "$conf"
    cat >"$conf/containers.conf" <<CONF
[containers]
log_driver = "k8s-file"
netns = "none" # setting up a network takes longer than all the rest
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "tested"
runtime_supports_nocgroup = ["tested"]
runtime_supports_json = ["tested"]
[engine.runtimes]
tested = ["$runtime"]
CONF
    cat >"$conf/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$dir/files/storage"
runroot = "${XDG_RUNTIME_DIR:-/run}/containers"
CONF
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' \
        >"$conf/policy.json"
    make_rootfs "$dir/files/rootfs"
    open_service
    tar -C "$dir/files/rootfs" -c . |
        podman import --quiet --change 'CMD=["/bin/sh"]' - localhost/bb \
            >/dev/null || {
        echo "Bail out! podman import"
        exit 1
    }
}

# start_service NAME OPTION...: a container that runs resident, once it is ready
start_service() {
    local name=$1
    shift
    expect 0 podman run -d --name "$name" -v "$service:/service" "$@" \
        bb resident
    await_service
}

# clean_up: after a test that failed
clean_up() {
    podman pod rm -fa -t 0 >/dev/null 2>&1
    podman rm -fa -t 0 >/dev/null 2>&1
    podman volume prune -f >/dev/null 2>&1
}
