# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# podman-cases.bash: what Podman does alike as root and as an ordinary user;
# sourced after world.bash and podman.bash, which explain what is used here.

test_run_output_is_the_payloads() {
    expect 0 podman run --rm bb echo one "two  three"
    is "one two  three"
    expect 0 podman run --rm bb sh -c 'echo err >&2'
    is ""
    [ "$err" = err ] || fail "stderr: $err"
}

test_run_input_reaches_the_payload() {
    expect 0 podman run --rm -i bb sh -c 'cat; echo end' <<<"some input"
    is $'some input\nend'
}

test_run_much_output_is_complete() {
    expect 0 podman run --rm bb sh -c 'head -c 3000000 /dev/zero | tr \\0 x'
    [ ${#out} = 3000000 ] || fail "${#out} bytes"
}

test_run_exit_status_is_the_payloads() {
    expect 0 podman run --rm bb true
    expect 7 podman run --rm bb sh -c 'exit 7'
    expect 255 podman run --rm bb sh -c 'exit 255'
}

test_run_missing_program_exit_127() {
    expect 127 podman run --rm bb no-such-program
    err_has no-such-program
    expect 127 podman run --rm bb /no/such/program
    err_has /no/such/program
}

test_run_unusable_program_exit_126() {
    expect 126 podman run --rm bb /etc/plain
    expect 126 podman run --rm bb /etc
}

test_run_refused_by_podman_exit_125() {
    expect 125 podman run --rm --pull=never no-such-image true
    expect 125 podman run --rm --no-such-option bb true
}

test_run_refused_by_the_runtime_is_told() {
    run podman run --rm --sysctl net.no.such.sysctl=1 bb true
    [ "$status" -ge 125 ] || fail "status $status"
    err_has no
    expect 0 podman ps -a -q
    is ""
}

test_run_environment_is_as_asked() {
    expect 0 podman run --rm -e ONE=1 -e "TWO=a b" bb env
    has ONE=1
    has "TWO=a b"
    has PATH=
    has container=podman
    has_not LISTEN_
    has_not _OCI_
}

test_run_leaves_no_fd_open() {
    # 3 is the directory itself
    expect 0 podman run --rm bb ls /proc/self/fd
    is $'0\n1\n2\n3'
}

test_run_preserved_fds_are_open() {
    expect 0 podman run --rm --preserve-fds 1 bb sh -c 'cat <&3' 3<<<"by fd 3"
    is "by fd 3"
}

test_run_workdir_is_as_asked() {
    expect 0 podman run --rm -w /srv bb pwd
    is /srv
    expect 0 podman run --rm --user web -w /tmp bb pwd
    is /tmp
}

test_run_user_is_as_asked() {
    expect 0 podman run --rm bb id
    has "uid=0(root) gid=0(root)"
    expect 0 podman run --rm --user web bb id
    is "uid=1234(web) gid=1235(web) groups=1235(web),1236(extra)"
    expect 0 podman run --rm --user 77:88 --group-add 99 bb id
    has "uid=77(77) gid=88(88) groups="*"99"
    expect 0 podman run --rm --umask 0027 bb sh -c umask
    is 0027
}

test_run_user_can_open_its_output_again() {
    expect 0 podman run --rm --user web bb \
        sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
    is out
    [ "$err" = err ] || fail "stderr: $err"
    expect 0 podman run -d --name target bb sleep 1000
    expect 0 podman exec --user web target sh -c 'echo out >/dev/stdout'
    is out
    expect 0 tty podman exec -t --user web target sh -c 'echo out >/dev/tty
        echo err >/dev/stderr'
    is $'out\nerr'
    expect 0 podman rm -f -t 0 target
}

test_run_capabilities_are_as_asked() {
    expect 0 podman run --rm bb grep CapEff /proc/self/status
    is $'CapEff:\t00000000800405fb'
    expect 0 podman run --rm --cap-drop all bb grep Cap /proc/self/status
    has_not $'\t[!0]'
    has $'CapBnd:\t0000000000000000'
    expect 0 podman run --rm --cap-drop all --cap-add net_admin bb \
        grep -E 'Cap(Eff|Bnd)' /proc/self/status
    is $'CapEff:\t0000000000001000\nCapBnd:\t0000000000001000'
    expect 0 podman run --rm --user web bb grep CapEff /proc/self/status
    is $'CapEff:\t0000000000000000'
    expect 0 podman run --rm --user web --cap-add chown bb \
        grep -E 'Cap(Eff|Amb)' /proc/self/status
    is $'CapEff:\t0000000000000001\nCapAmb:\t0000000000000001'
}

test_run_privileged_has_everything() {
    expect 0 podman run --rm --privileged bb \
        grep -E 'Seccomp:|CapEff' /proc/self/status
    has $'Seccomp:\t0'
    expect 0 podman run --rm --privileged bb \
        sh -c 'mount -t tmpfs none /srv && touch /srv/x && echo mounted'
    is mounted
}

test_run_seccomp_default_profile_is_on() {
    expect 0 podman run --rm bb grep Seccomp: /proc/self/status
    is $'Seccomp:\t2'
    expect 1 podman run --rm bb unshare -m true
    err_has "not permitted"
}

test_run_seccomp_profile_is_applied() {
    cat >"$dir/files/no-mkdir.json" <<'JSON'
{ "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [ { "names": ["mkdir", "mkdirat"],
    "action": "SCMP_ACT_ERRNO", "errnoRet": 95 } ] }
JSON
    expect 1 podman run --rm \
        --security-opt "seccomp=$dir/files/no-mkdir.json" bb mkdir /tmp/x
    err_has "not supported"
    expect 0 podman run --rm --security-opt seccomp=unconfined bb \
        grep Seccomp: /proc/self/status
    is $'Seccomp:\t0'
}

test_run_no_new_privileges_is_set() {
    expect 0 podman run --rm bb grep NoNewPrivs /proc/self/status
    is $'NoNewPrivs:\t0'
    expect 0 podman run --rm --security-opt no-new-privileges bb \
        grep NoNewPrivs /proc/self/status
    is $'NoNewPrivs:\t1'
}

test_run_read_only_root_cannot_be_written() {
    expect 1 podman run --rm --read-only bb touch /file
    err_has "Read-only file system"
    # podman's tmpfs mounts stay writable
    expect 0 podman run --rm --read-only bb touch /tmp/file /run/file
    expect 1 podman run --rm --read-only --read-only-tmpfs=false bb \
        touch /tmp/file
}

test_run_hostname_is_as_asked() {
    expect 0 podman run --rm --hostname some-name bb hostname
    is some-name
    expect 0 podman run --rm --uts=host bb hostname
    is "$(hostname)"
}

test_run_limits_are_set() {
    expect 0 podman run --rm --ulimit nofile=123:456 --ulimit core=0 \
        --ulimit nproc=1000:1000 bb \
        sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
    is $'123\n456\n0'
    expect 0 podman run --rm --oom-score-adj 321 bb \
        cat /proc/self/oom_score_adj
    is 321
}

test_run_sysctl_is_set() {
    expect 0 podman run --rm --sysctl net.ipv4.ip_default_ttl=77 \
        --sysctl kernel.msgmax=12345 bb \
        cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax
    is $'77\n12345'
}

test_run_kernel_files_are_protected() {
    expect 1 podman run --rm bb sh -c 'ls /proc/scsi /sys/firmware
        touch /proc/sys/kernel/domainname'
    has_not $'[a-z]\n'
    err_has "Read-only file system"
    expect 0 podman run --rm bb stat -c %t:%T /proc/keys
    is 1:3
}

test_run_devices_are_there() {
    expect 0 podman run --rm --device /dev/null:/dev/mine bb sh -c '
        for device in null zero full random urandom tty mine; do
            test -c /dev/$device || echo no $device
        done
        echo x >/dev/mine; head -c 2 /dev/zero | wc -c
        ls -l /dev/fd /dev/stdin /dev/ptmx | sed "s/.*-> //"'
    is $'2\n/proc/self/fd\npts/ptmx\n/proc/self/fd/0'
}

test_run_mounts_are_as_asked() {
    mkdir -p "$dir/files/shared"
    echo shared >"$dir/files/shared/file"
    expect 0 podman run --rm -v "$dir/files/shared:/data" bb \
        sh -c 'cat /data/file; echo written >/data/new'
    is shared
    [ "$(cat "$dir/files/shared/new")" = written ] || fail "not written"
    expect 1 podman run --rm -v "$dir/files/shared:/data:ro" bb touch /data/x
    err_has "Read-only file system"
    expect 0 podman run --rm -v "$dir/files/shared:/deep/down/here:ro,Z" bb \
        cat /deep/down/here/file
    is shared
    expect 0 podman run --rm -v "$dir/files/shared/file:/etc/one-file:ro" bb \
        cat /etc/one-file
    is shared
    expect 125 podman run --rm -v "$dir/files/missing:/data" bb true
}

test_run_mount_options_are_applied() {
    mkdir -p "$dir/files/shared"
    expect 0 podman run --rm -v "$dir/files/shared:/data:noexec,nosuid,nodev" \
        --mount type=tmpfs,destination=/scratch,tmpfs-size=1m,tmpfs-mode=0701 \
        --tmpfs /more:size=2m,noexec bb sh -c \
        'grep -E " (/data|/scratch|/more) " /proc/mounts | sort
        stat -c %a /scratch'
    has "/data"*"nosuid,nodev,noexec"
    has "/more tmpfs "*"noexec"*"size=2048k"
    has "/scratch tmpfs "*"size=1024k"
    has 701
    expect 0 podman run --rm --shm-size 3m bb grep /dev/shm /proc/mounts
    has size=3072k
}

test_run_propagation_is_as_asked() {
    grep -qE '^([^ ]+ ){4}/ .* shared:' /proc/self/mountinfo ||
        skip "the root of this host is not a shared mount"
    mkdir -p "$dir/files/shared"
    expect 0 podman run --rm --mount \
        "type=bind,src=$dir/files/shared,dst=/d,bind-propagation=rslave" \
        bb grep ' /d ' /proc/self/mountinfo
    has " master:"
}

test_run_named_volume_outlives_the_container() {
    expect 0 podman volume create keep
    expect 0 podman run --rm -v keep:/vol bb sh -c 'echo kept >/vol/file'
    expect 0 podman run --rm --mount type=volume,src=keep,dst=/other,ro bb \
        cat /other/file
    is kept
    # the image's content is copied into a new one
    expect 0 podman run --rm -v fresh:/etc bb cat /etc/plain
    is "plain text"
    expect 0 podman volume rm keep fresh
}

test_run_overlay_volume_keeps_changes_apart() {
    mkdir -p "$dir/files/below"
    echo below >"$dir/files/below/file"
    expect 0 podman run --rm -v "$dir/files/below:/data:O" bb \
        sh -c 'cat /data/file; echo above >/data/file; cat /data/file'
    is $'below\nabove'
    [ "$(cat "$dir/files/below/file")" = below ] || fail "written through"
}

test_run_rootfs_needs_no_image() {
    expect 0 podman run --rm --rootfs "$dir/files/rootfs" cat /etc/plain
    is "plain text"
}

test_run_namespaces_of_the_host_are_shared() {
    local name
    for name in pid ipc uts; do
        [ "$name" != ipc ] || [ -d /dev/mqueue ] || continue
        expect 0 podman run --rm "--$name=host" bb \
            readlink "/proc/self/ns/$name"
        is "$(readlink "/proc/self/ns/$name")"
        expect 0 podman run --rm bb readlink "/proc/self/ns/$name"
        has_not "$(readlink "/proc/self/ns/$name")"
    done
    expect 0 podman run --rm --network host bb readlink /proc/self/ns/net
    is "$(readlink /proc/self/ns/net)"
}

test_run_network_none_has_loopback_alone() {
    expect 0 podman run --rm --network none bb ls /sys/class/net
    is lo
}

test_run_namespaces_of_a_container_are_joined() {
    expect 0 podman run -d --name first bb sleep 1000
    expect 0 podman exec first sh -c 'readlink /proc/1/ns/net
        readlink /proc/1/ns/ipc'
    local first=$out
    expect 0 podman run --rm --network container:first --ipc container:first \
        bb sh -c 'readlink /proc/1/ns/net; readlink /proc/1/ns/ipc'
    is "$first"
    expect 0 podman run --rm --pid container:first bb pidof sleep
    is 1
    expect 0 podman rm -f -t 0 first
}

test_exec_behaves_as_run() {
    expect 0 podman run -d --name target -e BASE=base bb sleep 1000
    expect 0 podman exec target cat /proc/1/comm
    is sleep
    expect 9 podman exec target sh -c 'exit 9'
    expect 0 podman exec -e MORE=more -w /srv target sh -c \
        'echo $BASE $MORE; pwd'
    is $'base more\n/srv'
    expect 0 podman exec --user web target id
    has "uid=1234(web) gid=1235(web) groups="*"1236(extra)"
    expect 0 podman exec -i target cat <<<"input"
    is input
    expect 127 podman exec target no-such-program
    err_has no-such-program
    expect 126 podman exec target /etc/plain
    expect 0 podman exec --privileged target grep CapEff /proc/self/status
    has_not 00000000800405fb
    expect 0 podman exec target grep -E 'CapEff|Seccomp:' /proc/self/status
    is $'CapEff:\t00000000800405fb\nSeccomp:\t2'
    expect 0 podman exec target ls /proc/self/fd
    is $'0\n1\n2\n3'
    expect 0 podman exec --preserve-fds 1 target sh -c 'cat <&3' 3<<<"by fd"
    is "by fd"
    expect 137 podman exec target sh -c 'kill -9 $$'
    expect 0 podman rm -f -t 0 target
    expect 125 podman exec target true
}

test_exec_detached_goes_on() {
    expect 0 podman run -d --name target bb sleep 1000
    expect 0 podman exec target mkfifo /tmp/fifo
    expect 0 podman exec -d target sh -c 'echo from the background >/tmp/fifo'
    expect 0 podman exec target cat /tmp/fifo
    is "from the background"
    expect 0 podman rm -f -t 0 target
}

test_exec_in_a_stopped_container_is_refused() {
    expect 0 podman create --name idle bb true
    run podman exec idle true
    [ "$status" != 0 ] || fail "status 0"
    expect 0 podman rm idle
}

test_tty_is_a_terminal() {
    expect 0 tty podman run --rm -t bb sh -c 'tty; test -t 0 && echo yes'
    is $'/dev/pts/0\nyes'
    expect 0 tty podman run --rm -it bb stat -c '%n %t:%T' /dev/console
    is "/dev/console 88:0"
    expect 5 tty podman run --rm -t bb sh -c 'exit 5'
    expect 0 tty sh -c 'stty rows 31 cols 99
        podman run --rm -it bb sh -c "until stty size | grep 31; do :; done"'
    has "31 99"
}

test_tty_of_exec_is_a_terminal() {
    expect 0 podman run -d --name target bb sleep 1000
    expect 0 tty podman exec -it target sh -c 'tty; test -t 0 && echo yes'
    is $'/dev/pts/0\nyes'
    expect 6 tty podman exec -it --user web target sh -c 'tty; exit 6'
    expect 0 podman exec target ls -la /dev/pts
    has ptmx
    expect 0 podman rm -f -t 0 target
}

test_tty_of_a_detached_container_is_logged() {
    expect 0 podman run -dt --name terminal bb sh -c 'tty; exit 4'
    expect 0 podman wait terminal
    is 4
    expect 0 podman logs terminal
    has /dev/pts/0
    expect 0 podman rm terminal
}

test_detached_container_lives_its_life() {
    start_service life
    expect 0 podman ps --format '{{.Names}} {{.Status}}'
    has "life Up"
    expect 0 podman logs life
    is ready
    expect 0 podman top life pid comm
    has resident
    expect 0 podman inspect -f '{{.State.Status}} {{.OCIRuntime}}' life
    is "running tested"
    expect 0 podman stop life
    expect 0 podman wait life
    is 3
    expect 0 podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' life
    is "exited 3"
    expect 0 podman start life
    await_service
    expect 0 podman restart life
    await_service
    expect 0 podman kill life
    expect 0 podman wait life
    is 137
    expect 0 podman start life
    await_service
    expect 0 podman rm -f life
    expect 0 podman ps -a -q
    is ""
}

test_signal_reaches_the_payload() {
    start_service target
    expect 0 podman kill -s USR1 target
    await_service usr1
    expect 0 podman kill -s TERM target
    expect 0 podman wait target
    is 3
    expect 0 podman rm target
    # pid 1 of a namespace does not die of it
    expect 0 podman run -d --name target --pid=host bb sleep 1000
    expect 0 podman kill -s TERM target
    expect 0 podman wait target
    is 143
    expect 0 podman rm target
}

test_stop_ends_what_ignores_signals() {
    expect 0 podman run -d --name stubborn bb sleep 1000
    expect 0 podman stop -t 0 stubborn
    expect 0 podman wait stubborn
    is 137
    expect 0 podman rm stubborn
}

test_stop_ends_all_processes() {
    expect 0 podman run -d --name family bb \
        sh -c 'sleep 1001 & sleep 1002 & wait'
    expect 0 podman exec -d family sleep 1003
    expect 0 podman rm -f -t 0 family
    if busybox pgrep -f 'sleep 100[123]' >/dev/null; then
        fail "$(busybox pgrep -fl 'sleep 100[123]')"
    fi
}

test_create_waits_for_start() {
    expect 0 podman create --name later bb sh -c 'echo now; exit 11'
    expect 0 podman init later
    expect 0 podman inspect -f '{{.State.Status}}' later
    is initialized
    expect 11 podman start -a later
    is now
    expect 11 podman start -a later
    expect 0 podman init later
    expect 0 podman rm later
}

test_attach_shows_the_output() {
    expect 0 podman run -di --name talk bb sh -c 'read x; echo "got $x"'
    expect 0 podman attach talk <<<"a line"
    is "got a line"
    expect 0 podman rm -f -t 0 talk
}

test_rm_option_removes_a_detached_container() {
    expect 0 podman run -d --rm --name gone bb true
    wait_for_end cleanup # which conmon starts, and has among its arguments
    expect 0 podman ps -a -q
    is ""
}

test_files_are_copied() {
    echo "to the container" >"$dir/files/in"
    expect 0 podman run -d --name target bb sleep 1000
    expect 0 podman cp "$dir/files/in" target:/srv/in
    expect 0 podman exec target cat /srv/in
    is "to the container"
    expect 0 podman exec target sh -c 'echo and back >/srv/out'
    expect 0 podman cp target:/srv/out "$dir/files/out"
    [ "$(cat "$dir/files/out")" = "and back" ] || fail "not copied"
    expect 0 podman diff target
    has /srv/out
    expect 0 podman commit -q target localhost/changed
    expect 0 podman rm -f -t 0 target
    expect 0 podman run --rm changed cat /srv/out
    is "and back"
    expect 0 podman rmi changed
}

test_pod_shares_its_namespaces() {
    expect 0 podman pod create --name pod --infra-image bb \
        --infra-command /bin/resident --share net,ipc,uts --hostname pod-host
    expect 0 podman run -d --pod pod --name server bb \
        sh -c 'echo in the pod >/srv/index.html; httpd -h /srv
        mkfifo /dev/shm/up; echo up >/dev/shm/up; exec sleep 1000'
    expect 0 podman run --rm --pod pod bb sh -c \
        'until test -p /dev/shm/up; do :; done; read x </dev/shm/up
        wget -q -O - http://127.0.0.1/; hostname'
    is $'in the pod\npod-host'
    expect 0 podman exec server readlink /proc/self/ns/net
    local net=$out
    expect 0 podman run --rm --pod pod bb readlink /proc/self/ns/net
    is "$net"
    expect 0 podman pod ps --format '{{.Name}} {{.Status}}'
    is "pod Running"
    expect 0 podman pod stop -t 0 pod
    expect 0 podman pod start pod
    expect 0 podman exec server true
    expect 0 podman pod rm -f -t 0 pod
    expect 0 podman ps -a -q
    is ""
}

test_pod_shares_its_pids() {
    expect 0 podman pod create --name pod --infra-image bb \
        --infra-command /bin/resident --share pid,net
    expect 0 podman run --rm --pod pod bb sh -c 'cat /proc/1/comm; echo $$'
    has_not $'\n1'
    expect 0 podman pod rm -f -t 0 pod
}

test_build_runs_its_steps() {
    mkdir -p "$dir/files/context"
    echo copied >"$dir/files/context/file"
    cat >"$dir/files/context/Containerfile" <<'FILE'
FROM localhost/bb
COPY file /srv/file
RUN echo "built by $(id -u)" >/srv/built && cat /srv/file
RUN ["mkdir", "/srv/dir"]
USER web
WORKDIR /srv
RUN id -un >/tmp/who
CMD cat /srv/built /tmp/who
FILE
    cat >"$dir/files/counted" <<SCRIPT
#!/bin/sh
echo "\$*" >>"$dir/files/calls"
exec "$runtime" "\$@"
SCRIPT
    chmod 755 "$dir/files/counted"
    expect 0 podman build --isolation oci --runtime "$dir/files/counted" \
        --network host --tag built "$dir/files/context"
    has copied
    [[ $(cat "$dir/files/calls") == *create*start* ]] ||
        fail "runtime not called: $(cat "$dir/files/calls")"
    expect 0 podman run --rm built
    is $'built by 0\nweb'
    expect 0 podman rmi built
}

test_build_step_that_fails_fails_the_build() {
    mkdir -p "$dir/files/failing"
    printf 'FROM localhost/bb\nRUN exit 17\n' \
        >"$dir/files/failing/Containerfile"
    run podman build --isolation oci --runtime "$runtime" --network host \
        "$dir/files/failing"
    [ "$status" = 17 ] || fail "status $status: $err"
    err_has 17
}

test_hooks_are_run() {
    local stage hooks=$dir/files/hooks
    mkdir -p "$hooks"
    cat >"$hooks/note" <<SCRIPT
#!/bin/sh
{ echo "\$1 \$VALUE"; cat; echo; } >>"$dir/files/hook-\$1"
SCRIPT
    chmod 755 "$hooks/note"
    for stage in createRuntime poststart poststop; do
        cat >"$hooks/$stage.json" <<JSON
{ "version": "1.0.0", "when": { "always": true }, "stages": ["$stage"],
  "hook": { "path": "$hooks/note", "args": ["note", "$stage"],
            "env": ["VALUE=given", "PATH=/bin:/usr/bin"] } }
JSON
    done
    expect 0 podman --hooks-dir "$hooks" run --name hooked \
        --annotation note=noted bb true
    expect 0 podman --hooks-dir "$hooks" rm hooked
    for stage in createRuntime poststart poststop; do
        out=$(cat "$dir/files/hook-$stage")
        has "$stage given"
        has '"note"'*'"noted"'
        has '"bundle"'
    done
}

test_hook_that_fails_fails_the_container() {
    local hooks=$dir/files/bad-hooks
    mkdir -p "$hooks"
    printf '#!/bin/sh\necho no way >&2; exit 9\n' >"$hooks/refuse"
    chmod 755 "$hooks/refuse"
    cat >"$hooks/refuse.json" <<JSON
{ "version": "1.0.0", "when": { "always": true }, "stages": ["createRuntime"],
  "hook": { "path": "$hooks/refuse" } }
JSON
    run podman --hooks-dir "$hooks" run --rm bb echo started
    [ "$status" -ge 125 ] || fail "status $status"
    is ""
    expect 0 podman ps -a -q
    is ""
}

test_healthcheck_runs_inside() {
    expect 0 podman run -d --name health --health-interval disable \
        --health-cmd 'test -e /tmp/healthy' bb sleep 1000
    expect 1 podman healthcheck run health
    expect 0 podman exec health touch /tmp/healthy
    expect 0 podman healthcheck run health
    expect 0 podman rm -f -t 0 health
}

test_ids_and_pids_are_written_to_files() {
    expect 0 podman run -d --name files --cidfile "$dir/files/cid" \
        --pidfile "$dir/files/pid" --conmon-pidfile "$dir/files/conmon" \
        bb sleep 1000
    expect 0 podman inspect -f '{{.Id}} {{.State.Pid}} {{.State.ConmonPid}}' \
        files
    is "$(cat "$dir/files/cid") $(cat "$dir/files/pid") $(
        cat "$dir/files/conmon")"
    expect 0 podman rm -f -t 0 files
}

test_containers_in_parallel_are_independent() {
    local i pids=()
    mkdir -p "$dir/files/parallel"
    for i in {1..20}; do
        podman run --rm bb sh -c "echo out $i; exit $i" \
            >"$dir/files/parallel/$i" 2>&1 &
        pids+=($!)
    done
    for i in {1..20}; do
        wait "${pids[$((i - 1))]}"
        status=$?
        out=$(cat "$dir/files/parallel/$i")
        [ "$status" = "$i" ] || fail "$i: status $status, $out"
        is "out $i"
    done
}
