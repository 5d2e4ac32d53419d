#!/bin/sh
# The feature `hickory` and the reader of zone files against NSD, which runs in the foreground on a
# high port of 127.0.0.1 while the tests do. Without NSD on the host, Debian's package is unpacked
# into a temporary directory; nothing is installed.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=
cleanup() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

nsd=$(command -v nsd || command -v /usr/sbin/nsd || true)
if [ -z "$nsd" ]; then
    (
        cd "$work"
        apt-get download nsd libprotobuf-c1 libfstrm0 libevent-2.1-7 2>/dev/null
        for package in *.deb; do dpkg -x "$package" root; done
    )
    nsd=$work/root/usr/sbin/nsd
    LD_LIBRARY_PATH=$(echo "$work"/root/usr/lib/*-linux-gnu)
    export LD_LIBRARY_PATH
fi

port=$((20000 + $$ % 20000))
cp tests/name-server/data/*.zone "$work"
cat > "$work/nsd.conf" <<CONF
server:
    ip-address: 127.0.0.1@$port
    server-count: 1
    username: ""
    zonesdir: "$work"
    database: ""
    pidfile: "$work/nsd.pid"
    logfile: "$work/nsd.log"
    xfrdfile: "$work/xfrd.state"
    zonelistfile: "$work/zone.list"
    xfrdir: "$work"
remote-control:
    control-enable: no
zone:
    name: interop.test
    zonefile: interop.zone
zone:
    name: other.test
    zonefile: other.zone
zone:
    name: broken.test
    zonefile: missing.zone
CONF

"$nsd" -d -c "$work/nsd.conf" &
server=$!
unset LD_LIBRARY_PATH
if ! NAME_SERVER=127.0.0.1:$port cargo test -q -p name-server --test interop -- --ignored; then
    cat "$work/nsd.log"
    exit 1
fi
