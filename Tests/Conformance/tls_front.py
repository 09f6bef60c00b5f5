"""Debian's nginx with TLS in front of a server, and a certificate authority for it; all made for one run of the tests.

The two tools come from `scripts/setup.sh test`. Everything of nginx is in a folder of the tests, so it needs no
privileges: configuration, pid, logs, temporary files, a high port, and one process.
"""

import pathlib
import subprocess

from processes import Process, accepts_connections, free_port

NGINX = pathlib.Path("/usr/sbin/nginx")
HOST = "localhost"
VALID_DAYS = "2"

# What the documentation of a self-hosted realtime engine tells its users to write (R053), for all paths.
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 86400;
      proxy_send_timeout 86400;
    }}
  }}
}}
"""


class Authority:
    """A certificate authority, and the certificate of `localhost` that it has signed; PEM files."""

    def __init__(self, folder: pathlib.Path):
        self.certificate = folder / "authority.pem"
        self.server_certificate = folder / "server.pem"
        self.server_key = folder / "server.key"
        authority_key, request, extensions = folder / "authority.key", folder / "server.csr", folder / "server.ext"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl(
            "req", "-x509", *new_key, "-keyout", authority_key, "-out", self.certificate, "-days", VALID_DAYS,
            "-subj", "/CN=Authority of the tests",
            "-addext", "keyUsage=critical,keyCertSign", "-addext", "subjectKeyIdentifier=hash",
        )  # fmt: skip
        openssl("req", *new_key, "-keyout", self.server_key, "-out", request, "-subj", f"/CN={HOST}")
        extensions.write_text(
            f"subjectAltName=DNS:{HOST},IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
            "basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\n"
        )
        openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", authority_key, "-CAcreateserial",
            "-out", self.server_certificate, "-days", VALID_DAYS, "-extfile", extensions,
        )  # fmt: skip


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class TLSFront:
    """nginx that takes TLS connections and hands what they say to a server of the tests."""

    def __init__(self, folder: pathlib.Path, authority: Authority, upstream: int):
        folder.mkdir()
        self.port = free_port()
        file = folder / "nginx.conf"
        file.write_text(
            CONFIGURATION.format(
                folder=folder,
                port=self.port,
                upstream=upstream,
                certificate=authority.server_certificate,
                key=authority.server_key,
            )
        )
        arguments = ["-p", str(folder), "-c", str(file), "-e", str(folder / "error.log")]
        self._process = Process(arguments, folder / "nginx.log", program=NGINX)

    @property
    def https(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def wss(self) -> str:
        return f"wss://{HOST}:{self.port}"

    def await_ready(self) -> None:
        self._process.await_ready(lambda: accepts_connections(self.port))

    def stop(self) -> int:
        return self._process.stop()
