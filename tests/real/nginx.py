"""nginx on loopback: one server for each way in which TLS can be set up, and plain HTTP with what nginx does itself."""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.real.certificates import DAY, Authority, Pair, authority
from tests.real.program import answers, free_port, started

USER, PASSWORD = "ana", "s3cret-pass"
_IN_PLACE = """
{user}
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    keepalive_timeout 30s;
{servers}
}}
"""
_PLAIN = """
    server {{
        listen 127.0.0.1:{plain};
        listen [::1]:{plain};
        location = /health {{ return 200 '{{"status": "ok", "by": "$host", "port": $server_port}}'; }}
        location = /private {{ auth_basic "here"; auth_basic_user_file {folder}/users; root {folder}/files; }}
        location = /token {{ if ($http_authorization != "Bearer t0k-canary") {{ return 401; }} return 200 'in'; }}
        location = /near {{ return 302 /health; }}
        location = /upgrade {{ return 301 https://localhost:{good}/health; }}
        location = /elsewhere {{ return 302 http://localhost:{plain}/seen-$http_x_api_key-$http_authorization; }}
        location = /metadata {{ return 302 http://169.254.169.254/latest/; }}
        location = /bomb {{ root {folder}/files; add_header Content-Encoding gzip always; }}
    }}
"""
_SECURE = """
    server {{
        listen 127.0.0.1:{port} ssl;
        listen [::1]:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {more}
        location = /health {{ return 200 '{{"name": "$ssl_server_name", "protocol": "$ssl_protocol"}}'; }}
        location = /near {{ return 302 /health; }}
        location = /downgrade {{ return 302 http://localhost:{plain}/health; }}
    }}
"""
_OLD = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;"


@dataclass(frozen=True)
class Nginx:
    """A running nginx. `ports` are those of its servers by what is special about their certificate."""

    folder: Path
    plain: int
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.plain}"

    @property
    def ca(self) -> str:
        return str(self.folder / "authority.pem")

    def secure(self, name: str, host: str = "localhost") -> str:
        """The URL of one of its servers with TLS."""
        return f"https://{host}:{self.ports[name]}"

    def log(self) -> str:
        """The requests that it served so far."""
        return (self.folder / "access.log").read_text("utf-8")


def _certificates(made: Authority) -> dict[str, tuple[Pair, str]]:
    """By name: a certificate, and what else is said to nginx."""
    good = made.pair("good")
    wants_client = f"ssl_verify_client on; ssl_client_certificate {made.file};"
    return {
        "good": (good, ""),
        "soon": (made.pair("soon", ends=5 * DAY), ""),
        "expired": (made.pair("expired", begins=-40 * DAY, ends=-3 * DAY), ""),
        "just expired": (made.pair("just-expired", begins=-40 * DAY, ends=-timedelta(hours=2)), ""),
        "not yet valid": (made.pair("not-yet", begins=2 * DAY, ends=9 * DAY), ""),
        "wrong host": (made.pair("wrong-host", names=["shop.example", "www.shop.example"]), ""),
        "no name": (made.pair("no-name", names=[]), ""),
        "self-signed": (made.self_signed("self-signed"), ""),
        "whole chain": (made.with_root("whole-chain"), ""),
        "missing intermediate": (made.pair("no-chain", chain=False), ""),
        "expired above": (made.under_expired("expired-above"), ""),
        "soon above": (made.under_expired("soon-above", ends=5 * DAY), ""),
        "old protocol": (good, _OLD),
        "only TLS 1.2": (good, "ssl_protocols TLSv1.2;"),
        "only TLS 1.3": (good, "ssl_protocols TLSv1.3;"),
        "refuses the handshake": (good, "ssl_reject_handshake on;"),
        "wants a client certificate": (good, wants_client),
    }


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Nginx]:
    """nginx while the block runs; its files lie in `folder`."""
    pairs = _certificates(authority(folder))
    ports = {name: free_port() for name in pairs}
    server = Nginx(folder, free_port(), ports)
    _write_files(folder)
    blocks = [_PLAIN.format(folder=folder, plain=server.plain, good=ports["good"])]
    for name, (pair, more) in pairs.items():
        blocks.append(
            _SECURE.format(port=ports[name], plain=server.plain, certificate=pair.certificate, key=pair.key, more=more)
        )
    configuration = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else its worker, nobody, may not read the folder of a test
    configuration.write_text(_IN_PLACE.format(user=user, folder=folder, servers="".join(blocks)), "utf-8")
    argv = ["nginx", "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log"), "-g", "daemon off;"]
    with started(argv, folder, lambda: answers(server.plain)):
        yield server


def _write_files(folder: Path) -> None:
    import hashlib
    from base64 import b64encode

    salt = b"salted"
    hashed = b64encode(hashlib.sha1(PASSWORD.encode() + salt, usedforsecurity=False).digest() + salt).decode()
    (folder / "users").write_text(f"{USER}:{{SSHA}}{hashed}\n", "utf-8")
    (folder / "files").mkdir()
    (folder / "files" / "private").write_text("in", "utf-8")
    (folder / "files" / "bomb").write_bytes(gzip.compress(bytes(64 << 20), 9))
