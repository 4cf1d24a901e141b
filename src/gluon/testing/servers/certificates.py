"""A throw-away certificate authority for tests of TLS, made by openssl.

In: a folder and the server's address. Out: `TlsFiles`, paths of PEM files valid for one day.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gluon.testing.process import run


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """`authority` signed both the server's and the client's (`certificate`, `key`) certificate."""

    authority: Path
    server_certificate: Path
    server_key: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, address: str) -> TlsFiles:
    """Make an authority, a server's and a client's certificate in `folder`."""
    authority, authority_key = folder / "ca.pem", folder / "ca.key"
    # -noenc: a key without a passphrase; -x509: sign itself
    _request(authority_key, "/CN=test authority", "-x509", "-out", str(authority), "-days", "1")
    files: dict[str, Path] = {}
    for name, use in (("server", "serverAuth,clientAuth"), ("client", "clientAuth")):
        key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        _request(key, f"/CN={name}", "-out", str(request))
        extensions = folder / f"{name}.ext"
        extensions.write_text(f"extendedKeyUsage={use}\nsubjectAltName=IP:{address},DNS:localhost\n")
        run(
            [
                *("openssl", "x509", "-req", "-in", str(request), "-out", str(certificate)),
                *("-CA", str(authority), "-CAkey", str(authority_key), "-CAcreateserial"),
                *("-days", "1", "-extfile", str(extensions)),
            ]
        )
        files[name], files[f"{name}_key"] = certificate, key
    return TlsFiles(
        authority=authority,
        server_certificate=files["server"],
        server_key=files["server_key"],
        certificate=files["client"],
        key=files["client_key"],
    )


def _request(key: Path, subject: str, *more: str) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    run(["openssl", "req", *curve, "-noenc", "-keyout", str(key), "-subj", subject, *more])
