"""The reverse proxies of deploy/ in front of a server, as they are shipped, and a certificate authority for them.

nginx, HAProxy and openssl come from `scripts/setup.sh test`. Everything of a proxy is in a folder of the tests, so it needs
no privileges: configuration, pid, logs, temporary files, high ports, and one process. Of the files in deploy/ only what
`TLSFront.moved` replaces is another: ports, the certificate's place, folders.
"""

import pathlib
import re
import subprocess

from processes import ROOT, Process, accepts_connections, free_port

NGINX = pathlib.Path("/usr/sbin/nginx")
HAPROXY = pathlib.Path("/usr/sbin/haproxy")
DEPLOY = ROOT / "deploy"
HOST = "localhost"
VALID_DAYS = "2"

# Around a file that Debian's nginx.conf includes from /etc/nginx/conf.d.
AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  access_log off;
  include {site};
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
    """A proxy of deploy/ that takes TLS connections and hands what they say to a server of the tests.

    - site: the file in deploy/, `nginx/parley-edge.conf` unless another is named; `changes` are made to its text first.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        authority: Authority,
        upstream: int,
        site: str = "nginx/parley-edge.conf",
        changes: dict[str, str] | None = None,
    ):
        folder.mkdir()
        self._folder, self._authority, self._upstream = folder, authority, upstream
        self.port = free_port()
        text = (DEPLOY / site).read_text(encoding="utf-8")
        for old, new in (changes or {}).items():
            assert old in text, f"{site} has no {old!r}"
            text = text.replace(old, new)
        program, arguments = self._haproxy(text) if site.startswith("haproxy") else self._nginx(text)
        # The shipped file has no fault that the proxy knows of.
        check = subprocess.run(
            [str(program), *("-t" if program == NGINX else "-c",), *arguments], capture_output=True, text=True
        )
        assert check.returncode == 0, check.stderr
        self._process = Process(arguments, folder / "front.log", program=program)

    def moved(self, text: str) -> str:
        """The file as it is, but for the places that are this machine's."""
        for address in ("127.0.0.1", "localhost"):
            text = text.replace(f"{address}:8787", f"{address}:{self._upstream}")
        places = {
            r"listen 443\b": lambda _: f"listen 127.0.0.1:{self.port}",
            r"bind :443\b": lambda _: f"bind 127.0.0.1:{self.port}",
            r"listen 80\b": lambda _: f"listen 127.0.0.1:{free_port()}",
            r"bind :80\b": lambda _: f"bind 127.0.0.1:{free_port()}",
            r"\[::\]:(443|80)\b": lambda _: f"[::1]:{free_port()}",
            r"check port 8788\b": lambda _: f"check port {self._upstream}",
            r"/etc/nginx/tls/fullchain\.pem": lambda _: str(self._authority.server_certificate),
            r"/etc/nginx/tls/privkey\.pem": lambda _: str(self._authority.server_key),
            r"/var/log/nginx": lambda _: str(self._folder),
        }
        for pattern, here in places.items():
            text = re.sub(pattern, here, text)
        return text

    def _nginx(self, text: str) -> tuple[pathlib.Path, list[str]]:
        site, file = self._folder / "site.conf", self._folder / "nginx.conf"
        site.write_text(self.moved(text))
        file.write_text(AROUND.format(folder=self._folder, site=site))
        return NGINX, ["-p", str(self._folder), "-c", str(file), "-e", str(self._folder / "error.log")]

    def _haproxy(self, text: str) -> tuple[pathlib.Path, list[str]]:
        pair, file = self._folder / "pair.pem", self._folder / "haproxy.cfg"
        pair.write_text(self._authority.server_certificate.read_text() + self._authority.server_key.read_text())
        file.write_text(self.moved(text).replace("/etc/haproxy/tls/voice.example.com.pem", str(pair)))
        return HAPROXY, ["-f", str(file)]

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
