# Part of ./dev: finds a Python, makes .venv, installs requirements.lock and the project into it.

say() { echo "dev: $*" >&2; }

# Every Python that could do, one a line: all folders of PATH, then the usual places outside of it.
python_candidates() {
    (
        IFS=:
        for folder in $PATH /usr/local/bin /usr/bin; do
            ls -d "$folder"/python3 "$folder"/python3.[0-9]* 2>/dev/null || true
        done
    )
    home="${HOME:-/nonexistent}"
    for root in "${PYENV_ROOT:-$home/.pyenv}/versions" "$home/.local/share/uv/python" /opt; do
        ls -d "$root"/*/bin/python3 2>/dev/null || true
    done
}

# Prints the CPython from 3.11 on that can make a virtual environment: the first, or one that runs Python at least
# 1.2 times as fast (a build without its profile-guided optimisation is half as fast as Debian's). Asks each one
# itself: a name in PATH may be another program's shim, may lie inside a virtual environment, and Debian's lacks
# ensurepip without python3-venv. Three times by turns, for on a busy machine one look is chance.
find_python() {
    question='
import os, sys, sysconfig, time
fit = sys.version_info >= (3, 11) and sys.implementation.name == "cpython"
if not fit or sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
import ensurepip, venv
class Pair:
    def __init__(self, a, b):
        self.a, self.b = a, b
    def sum(self):
        return self.a + self.b
def once():
    began = time.process_time()
    for i in range(5000):
        words = f"{i}:{Pair(i, i).sum()}".split(":")
        {words[0]: int(words[1])}.get(str(i))
    return time.process_time() - began
print(int(min(once() for _ in range(15)) * 1e6), os.path.realpath(sys._base_executable))
'
    ask() { while read -r python; do "$python" -I -c "$question" 2>/dev/null </dev/null || true; done; }
    first="$(python_candidates | awk '!seen[$0]++ && !/config$|gdb/' | ask)"
    {
        echo "$first"
        for _ in 1 2; do echo "$first" | awk '{ sub(/^[0-9]+ /, "") } $0 && !seen[$0]++' | ask; done
    } | awk '
        { took = $1; sub(/^[0-9]+ /, "") }
        $0 && !($0 in least) { name[++n] = $0; least[$0] = took }
        took < least[$0] { least[$0] = took }
        END {
            for (i = 1; i <= n; i++) if (!best || least[name[i]] * 1.2 < least[best]) best = name[i]
            if (best) print best
        }'
}

# A digest of all that decides what is in .venv: the folder (scripts name it), the lock, the project, the Python.
python_stamp() {
    { pwd -P; cat requirements.lock pyproject.toml .venv/pyvenv.cfg; } 2>/dev/null | sha256sum
}

install_python() {
    (
        # Two verbs at the same time: the second waits, then finds all done.
        if command -v flock >/dev/null; then exec 9<dev && flock 9; fi
        works=no
        if .venv/bin/python -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then works=yes; fi
        [ "$works" = yes ] && [ "$(python_stamp)" = "$(cat .venv/stamp 2>/dev/null)" ] && exit 0
        unset PYTHONHOME PYTHONPATH
        if [ "$works" = no ] || ! head -n 1 .venv/bin/pip 2>/dev/null | grep -qF "$(pwd -P)/.venv/"; then make_venv; fi
        say "installing Python packages into .venv"
        PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=no
        export PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT PIP_USER
        .venv/bin/python -m pip install -q --require-hashes --no-deps -r requirements.lock
        .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
        python_stamp >.venv/stamp
    )
}

# Servers of OpenStack that tests run, each in an environment of its own: its packages are none of Gluon's. NAME WORDS [BASE]: the
# packages of BASE's lock, then what NAME's has in other versions.
install_openstack() {
    (
        if command -v flock >/dev/null; then exec 9<dev && flock 9; fi
        locks="${3:+requirements-$3.lock} requirements-$1.lock"
        stamp="$({ pwd -P; cat $locks .venv/pyvenv.cfg; } | sha256sum)"
        [ "$stamp" != "$(cat ".venv-$1/stamp" 2>/dev/null)" ] || exit 0
        unset PYTHONHOME PYTHONPATH
        say "installing $2 into .venv-$1, for tests"
        PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=no
        export PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT PIP_USER
        rm -rf ".venv-$1"
        "$(.venv/bin/python -I -c 'import sys; print(sys._base_executable)')" -m venv ".venv-$1"
        for lock in $locks; do ".venv-$1/bin/python" -m pip install -q --require-hashes --no-deps -r "$lock"; done
        echo "$stamp" >".venv-$1/stamp"
    )
}

# The project itself into an environment of OpenStack, editable and without any dependency: what it needs must be there.
install_beside() {
    (
        if command -v flock >/dev/null; then exec 9<dev && flock 9; fi
        stamp="$({ cat ".venv-$1/stamp" pyproject.toml; } | sha256sum)"
        [ "$stamp" != "$(cat ".venv-$1/stamp-gluon" 2>/dev/null)" ] || exit 0
        built="$(mktemp -d)"
        trap 'rm -rf "$built"' EXIT
        .venv/bin/python -I -c 'import sys; from hatchling import build; build.build_editable(sys.argv[1])' "$built" >/dev/null
        PIP_DISABLE_PIP_VERSION_CHECK=1 ".venv-$1/bin/python" -m pip install -q --no-input --no-index --no-deps --force-reinstall "$built"/*.whl
        echo "$stamp" >".venv-$1/stamp-gluon"
    )
}

make_venv() {
    python="$(find_python)"
    if [ -z "$python" ]; then
        say "no Python from 3.11 on that has venv: install the Debian package python3-venv (apt-get install python3-venv)"
        exit 2
    fi
    say "making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
}
