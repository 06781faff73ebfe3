#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# demo: a page served by a rootless container, fetched from the host; and the
# other way round. Makes everything in a temporary directory and removes it.
#
#   demo.sh RNET [PORT]
set -eu

rnet=$1
port=${2:-8080}
dir=$(mktemp -d "${TMPDIR:-/tmp}/rnet-demo.XXXXXX")
container=
host=

cleanup() {
    for pid in $container $host; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

make_rootfs() {
    mkdir -p "$1/bin" "$1/etc" "$1/proc" "$1/dev" "$1/sys" "$1/tmp" \
        "$1/www/cgi-bin"
    cp "$(command -v busybox)" "$1/bin/busybox"
    for applet in sh httpd wget cat echo hostname id; do
        ln -s busybox "$1/bin/$applet"
    done
    cat >"$1/www/cgi-bin/index.cgi" <<'PAGE'
#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "Hello from the container $(hostname), uid $(id -u) in there."
echo "You are $REMOTE_ADDR to me."
PAGE
    chmod 755 "$1/www/cgi-bin/index.cgi"
    # httpd goes into the background once it listens; the FIFO of stdin keeps
    # the shell waiting for its end
    cat >"$1/bin/serve" <<SERVE
#!/bin/sh
httpd -p 80 -h /www
echo "in the container: wget http://host.containers.internal:$2/"
wget -q -O - http://host.containers.internal:$2/
echo ready
cat >/dev/null
SERVE
    chmod 755 "$1/bin/serve"
}

write_config() {
    cat >"$1" <<'CONFIG'
{
  "ociVersion": "1.0.2",
  "hostname": "demo",
  "root": { "path": "rootfs", "readonly": true },
  "process": {
    "args": ["/bin/serve"],
    "env": ["PATH=/bin"],
    "cwd": "/",
    "user": { "uid": 0, "gid": 0 },
    "noNewPrivileges": true,
    "capabilities": {
      "bounding": ["CAP_NET_BIND_SERVICE"],
      "effective": ["CAP_NET_BIND_SERVICE"],
      "permitted": ["CAP_NET_BIND_SERVICE"]
    }
  },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
      "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
      "options": ["nosuid", "nodev", "mode=1777"] }
  ],
  "linux": {
    "namespaces": [
      { "type": "user" }, { "type": "pid" }, { "type": "network" },
      { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }
    ]
  }
}
CONFIG
}

# A page of the host's on its loopback, for the container that is allowed to
# see that (host-loopback). curl asks again while httpd is still starting.
start_host_page() {
    mkdir "$dir/host"
    echo "Hello from the host." >"$dir/host/index.html"
    for host_port in 18080 18081 18082 18083 18084 18085; do
        busybox httpd -f -p "127.0.0.1:$host_port" -h "$dir/host" \
            2>/dev/null &
        host=$!
        if curl --silent --fail --output /dev/null --retry 5 \
            --retry-connrefused "http://127.0.0.1:$host_port/" &&
            kill -0 "$host" 2>/dev/null; then
            return
        fi
        kill "$host" 2>/dev/null || true
        wait "$host" 2>/dev/null || true
        host=
    done
    echo "demo: no free port for the host's page" >&2
    exit 1
}

start_host_page
mkdir "$dir/bundle"
make_rootfs "$dir/bundle/rootfs" "$host_port"
write_config "$dir/bundle/config.json"
mkfifo "$dir/out" "$dir/in"

echo "\$ rnet run --publish $port:80 --network slirp:host-loopback bundle"
"$rnet" run --publish "$port:80" --network slirp:host-loopback --name demo \
    "$dir/bundle" <"$dir/in" >"$dir/out" &
container=$!
exec 8>"$dir/in" 9<"$dir/out"
while read -r line <&9; do
    [ "$line" = ready ] && break
    echo "$line"
done
[ "${line:-}" = ready ] || { echo "demo: the container did not start"; exit 1; }

echo
echo "\$ curl http://127.0.0.1:$port/cgi-bin/index.cgi"
curl --silent --show-error --fail "http://127.0.0.1:$port/cgi-bin/index.cgi"

exec 8>&- # the container's shell reads the end of its stdin and ends
status=0
wait "$container" || status=$?
container=
echo
echo "The container has ended with status $status; nothing is left of it."
exit "$status"
