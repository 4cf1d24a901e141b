"""A URL of the settings that has a name and a password in it: refused, and nobody reads the password in the refusal."""

import subprocess
import sys
from pathlib import Path

import pytest

URLS = (
    "http://gluon:hunter2@127.0.0.1:1",
    "http://:hunter2@127.0.0.1:1",
    "https://gluon:a/hunter2@[127.0.0.1",
)
SETTINGS = {
    "keystone": '[identity]\nmethods = ["keystone"]\n[keystone]\nuser = "u"\npassword = "p"\nurl = "{url}"\n',
    "public": '[identity]\nmethods = ["keystone"]\n[keystone]\nuser = "u"\npassword = "p"\nurl = "http://127.0.0.1:1"\n'
    'public_url = "{url}"\n',
    "jwt": '[identity]\nmethods = ["jwt"]\n[jwt]\nissuer = "i"\naudience = "a"\nkeys = "{url}"\n',
    "nova": '[nova]\nenabled = true\nuser = "u"\npassword = "p"\nauth_url = "{url}"\n',
    "endpoint": '[nova]\nenabled = true\nuser = "u"\npassword = "p"\nauth_url = "http://127.0.0.1:1"\nendpoint = "{url}"\n',
    "neutron": '[identity]\nmethods = ["keystone"]\n[keystone]\nuser = "u"\npassword = "p"\nurl = "http://127.0.0.1:1"\n'
    '[neutron]\nurl = "{url}"\n',
    "etcd": '[etcd]\nurls = ["{url}"]\n',
}


@pytest.mark.parametrize("of", SETTINGS)
def test_a_password_in_a_url_is_not_told(tmp_path: Path, of: str) -> None:
    for url in URLS:
        (tmp_path / "gluon.toml").write_text(SETTINGS[of].format(url=url))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "gluon.cmd.main",
                "up",
                "--no-shims",
                "--config",
                "gluon.toml",
                "--port",
                "0",
                "--data",
                "data",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
        )
        said = done.stdout + done.stderr
        assert done.returncode in {1, 2}, said
        assert "names and passwords" in said
        assert "hunter2" not in said
        assert "Traceback" not in said
