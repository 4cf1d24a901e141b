#!/bin/sh
# Writes requirements.lock from pyproject.toml, and those of the servers that tests run: requirements-openstack.lock for Keystone,
# requirements-nova.lock, requirements-neutron.lock (with what Gluon needs there, as it is installed beside). Every extra, every hash, no host. What is locked stays as it is; --upgrade moves all,
# --upgrade-package NAME one. Python 3.11 is the oldest that has to be served.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"
}
compile pyproject.toml --all-extras -o requirements.lock "$@"
echo "keystone>=30" | compile - -o requirements-openstack.lock "$@"
printf '%s\n' "nova>=34,<35" "openstack-placement>=16" PyMySQL | compile - -o requirements-nova.lock "$@"
printf '%s\n' "neutron>=29,<30" PyMySQL gunicorn python-openstackclient msgspec PyYAML click structlog |
    compile - -o requirements-neutron.lock "$@"
# Of older releases only what differs.
for release in 28:3.25 27:3.22; do
    older="${release%:*}" library="${release#*:}"
    whole="$(mktemp)"
    printf '%s\n' "neutron>=$older,<$((older + 1))" "neutron-lib==$library.*" PyMySQL gunicorn python-openstackclient msgspec PyYAML click structlog |
        compile - -o "$whole" "$@"
    awk 'NR == FNR { if (/^[a-z0-9]/) same[$1]; next } /^[a-z0-9]/ { differs = !($1 in same) } differs' \
        requirements-neutron.lock "$whole" >"requirements-neutron-$older.lock"
    rm "$whole"
done
