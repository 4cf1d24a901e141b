# Part of ./dev: installs missing Debian packages as root, and starts none of their daemons.

# gluon.testing.programs says which package holds which program; postgresql brings pgbench. FRR reflects routes: GoBGP
# could, but takes its time to open sessions.
packages_for() {
    demo="openvswitch-switch gobgpd etcd-server etcd-client iproute2 iputils-ping ethtool tcpdump procps frr"
    case "$1" in
        demo) echo "$demo" ;;
        test) echo "$demo postgresql mariadb-server openssl curl chromium" ;;
        bench) echo "$demo postgresql wrk" ;;
        nova) echo "mariadb-server rabbitmq-server etcd-server etcd-client procps" ;;
        neutron) echo "mariadb-server etcd-server etcd-client procps" ;;
        *)
            say "no level '$1': demo, test, bench, nova or neutron"
            exit 2
            ;;
    esac
}

# Those of "$@" that are not installed, one a line.
missing_packages() {
    for name in "$@"; do echo "$name"; done | sort >"$scratch/wanted"
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u >"$scratch/there"
    comm -23 "$scratch/wanted" "$scratch/there"
}

# Without root, or on another system, this does nothing: what can run then needs no package.
install_packages() {
    wanted="$(packages_for "$1")"
    [ "$(id -u)" -eq 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here; by the names of Debian, this is used: $wanted"
        return 0
    fi
    (
        scratch="$(mktemp -d)"
        trap 'rm -rf "$scratch"' EXIT
        .venv/bin/python -I -c '' 2>/dev/null || wanted="$wanted python3-venv"
        missing="$(missing_packages $wanted | tr '\n' ' ')"
        [ -n "$missing" ] || [ "$(cat "$policy" 2>/dev/null)" = "$forbid" ] || exit 0
        apt_quietly "$missing"
    )
}

policy=/usr/sbin/policy-rc.d
forbid='#!/bin/sh
# Written by the ./dev of gluon for the time of one installation: no daemon may start.
exit 101'

# Debian's maintainer scripts ask policy-rc.d before they start a daemon. What stood there comes back afterwards, also
# after a failure or an interrupt; what a killed run left is put right by the next one.
apt_quietly() (
    if command -v flock >/dev/null; then exec 8</usr/sbin && flock 8; fi
    trap 'rm -f "$policy"; if [ -e "$policy.gluon" ] || [ -L "$policy.gluon" ]; then mv "$policy.gluon" "$policy"; fi' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if { [ -e "$policy" ] || [ -L "$policy" ]; } && [ "$(cat "$policy" 2>/dev/null)" != "$forbid" ]; then mv "$policy" "$policy.gluon"; fi
    echo "$forbid" >"$policy"
    chmod 755 "$policy"
    [ -n "$1" ] || exit 0
    say "installing Debian packages: $1"
    ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt update
    # Lists of last month name files that are gone: then once more with new ones.
    if ! apt install $1 && ! { apt update && apt install $1; }; then
        tail -n 40 "$scratch/apt.log" >&2
        say "apt-get failed, see above"
        exit 1
    fi
    [ ! -d /run/systemd/system ] || say "their daemons were not started, but Debian enables them for the next boot"
)

# What apt-get says is kept for the case that it fails.
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >>"$scratch/apt.log" 2>&1 </dev/null
}

# As root packets are real, and they need namespaces of our own. One line says why those cannot be had here.
explain_namespaces() {
    [ "$(id -u)" -eq 0 ] || return 0
    if ! unshare --mount true 2>/dev/null; then
        say "'unshare --mount' fails, so there are no namespaces here: in a chroot, bind-mount its root on itself;" \
            "in a container, grant CAP_SYS_ADMIN"
    elif ! unshare --mount --net sh -c 'mount -t sysfs none /sys' 2>/dev/null; then
        say "'ip netns exec' fails, so there are no hosts made of namespaces here: it must be able to mount /sys"
    elif [ ! -c /dev/net/tun ]; then
        say "there is no /dev/net/tun, and Open vSwitch needs it: mkdir -p /dev/net && mknod /dev/net/tun c 10 200"
    fi
}
