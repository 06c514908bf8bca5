"""The shipped nginx and Caddy configurations on loopback, and a client that speaks HTTP/2.

Only what a stranger is told to change is changed: names, ports, paths.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.certificates import identity, placed

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAME = "live.example.com"
START_SECONDS = 20.0
END_SECONDS = 10.0
MAIN = """
{user}
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log stderr info;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/vitrine.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Got:
    """One answer as curl tells it."""

    status: int
    version: str
    """Of HTTP: `2`."""
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Front:
    """An nginx or a Caddy in front of a server."""

    port: int
    plain_port: int
    """Of HTTP without TLS; 0: there is none."""
    folder: Path
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"

    async def get(self, path: str, *options: str) -> Got:
        """Ask by one HTTP/2 request."""
        body = self.folder / f"body-{os.urandom(6).hex()}"
        told = await self._curl("--dump-header", "-", "--output", str(body), *options, path=path)
        lines = told.decode().replace("\r", "").strip().split("\n")
        version, status = lines[0].split()[:2]
        pairs = [line.split(":", 1) for line in lines[1:] if ":" in line]
        data = await asyncio.to_thread(body.read_bytes) if body.exists() else b""
        headers = {name.lower(): value.strip() for name, value in pairs}
        return Got(int(status), version.removeprefix("HTTP/"), headers, data)

    async def crowd(self, path: str, count: int, *options: str) -> list[tuple[str, str, int]]:
        """Ask `count` times at once; HTTP version, status and size of each answer."""
        form = "%{http_version} %{http_code} %{size_download}\\n"
        asked = [part for _ in range(count - 1) for part in ("-o", "/dev/null", self.url + path)]
        crowd = ("--parallel", "--parallel-immediate", "--parallel-max", str(count))
        told = await self._curl("-o", "/dev/null", *crowd, "-w", form, *options, *asked, path=path)
        rows = [line.split() for line in told.decode().splitlines()]
        return [(version, status, int(size)) for version, status, size in rows]

    @asynccontextmanager
    async def reading(self, path: str) -> AsyncIterator[asyncio.StreamReader]:
        """Read an answer without end, as it comes."""
        process = await asyncio.create_subprocess_exec(
            *self._command("--no-buffer"), self.url + path, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _command(self, *options: str) -> list[str]:
        resolve = ["--resolve", f"{NAME}:{self.port}:127.0.0.1"]
        trust = ["--cacert", str(self.certificate)]
        return ["curl", "--silent", "--http2", "--max-time", "30", *resolve, *trust, *options]

    async def _curl(self, *options: str, path: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *self._command(*options), self.url + path, stdout=asyncio.subprocess.PIPE
        )
        try:
            told, _ = await asyncio.wait_for(process.communicate(), 40)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        assert process.returncode == 0, f"curl ended with {process.returncode}"
        return told


@asynccontextmanager
async def nginx(folder: Path, ports: tuple[int, int], upstream: int) -> AsyncIterator[Front]:
    """Run nginx as shipped, on `ports` (TLS, plain), before the server on `upstream`."""
    files = placed(folder, identity(NAME))
    changes = {
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(files.certificate),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(files.key),
        "/var/cache/nginx/vitrine": str(folder / "cache"),
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream};",
        "listen 80;": f"listen 127.0.0.1:{ports[1]};",
        "    listen [::]:80;\n": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{ports[0]} ssl http2;",
        "    listen [::]:443 ssl http2;\n": "",
    }
    (folder / "vitrine.conf").write_text(_changed("nginx/vitrine.conf", changes))
    (folder / "vitrine-media.conf").write_text(_changed("nginx/vitrine-media.conf", {}))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    command = ("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    async with _running(command, folder, ports[0]):
        yield Front(ports[0], ports[1], folder, files.certificate)


@asynccontextmanager
async def caddy(folder: Path, port: int, upstream: int) -> AsyncIterator[Front]:
    """Run Caddy as shipped, on `port`, before the server on `upstream`."""
    files = placed(folder, identity(NAME))
    changes = {
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        f"{NAME} {{\n": (
            f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {files.certificate} {files.key}\n"
        ),
        "{\n\tservers": "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers",
    }
    (folder / "Caddyfile").write_text(_changed("caddy/Caddyfile", changes))
    command = ("caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))
    async with _running(command, folder, port):
        yield Front(port, 0, folder, files.certificate)


@asynccontextmanager
async def _running(command: tuple[str, ...], folder: Path, port: int) -> AsyncIterator[None]:
    log = folder / "error.log"
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=out, stderr=out, env={**os.environ, **home}
        )
    try:
        await _until_open(process, port, log)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), END_SECONDS)


def _changed(name: str, changes: dict[str, str]) -> str:
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text, f"the shipped configuration has no {old!r}"
        text = text.replace(old, new)
    return text


async def _until_open(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    end = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        told = (await asyncio.to_thread(log.read_text))[-2000:]
        assert process.returncode is None, f"it did not start: {told}"
        assert asyncio.get_running_loop().time() < end, f"it is not there: {told}"
        await asyncio.sleep(0.05)
