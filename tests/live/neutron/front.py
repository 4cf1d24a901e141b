"""Gluon in front of a Neutron, asked as Neutron is."""

from pathlib import Path

from gluon.testing.folders import PrivateFolder
from gluon.testing.product import GluonServer
from gluon.testing.servers.neutron import NeutronServer


class Through(NeutronServer):
    """`gluon` in the place of `behind`."""

    def __init__(self, gluon: GluonServer, behind: NeutronServer) -> None:
        super().__init__(database=behind.database)
        self.ports = (gluon.port,)
        self.behind = behind
        self._gluon = gluon

    @property
    def url(self) -> str:
        return f"{super().url}/networking"

    @property
    def folder(self) -> PrivateFolder:
        return self.behind.folder

    def words(self, *, lines: int = 60) -> str:
        return self.behind.words(lines=lines) + self._gluon.daemon.said(lines=lines)


def settings(folder: Path, behind: NeutronServer, more: str = "") -> Path:
    """Of a Gluon in front of this one."""
    file = folder / "gluon.toml"
    file.write_text(f'[neutron]\nurl = "{behind.url}"\n{more}')
    return file
