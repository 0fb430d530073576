"""PostgreSQL behind a PgBouncer that pools by transaction: tables are made, and two workers send an edition."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.operations import migrations
from tests.acceptance.house import free_port
from tests.chaos.night import Night
from tests.chaos.receiver import Receiver
from tests.chaos.test_troubles import RATE, READERS, SEED, assert_everybody_has_it, finished, flowing
from tests.conftest import Postgres, run

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(not PGBOUNCER and not os.environ.get("CI"), reason="needs pgbouncer")


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """A PgBouncer of our own, with fewer sessions than its clients; gives the URL by it."""
    assert PGBOUNCER, "pgbouncer is not installed"
    direct, port = make_url(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    folder.chmod(0o755)
    settings = folder / "pgbouncer.ini"
    (folder / "users.txt").write_text('"postgres" ""\n')
    settings.write_text(
        f"[databases]\n{direct.database} = host={direct.query['host']} dbname={direct.database} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = 12\nmax_client_conn = 200\n"
        "server_check_delay = 5\n"
    )
    as_other = {}
    if os.geteuid() == 0:  # it refuses to run as root; the server's own user may use its socket
        owner = Path(str(direct.query["host"])).stat()
        as_other = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    process = subprocess.Popen([PGBOUNCER, str(settings)], stderr=subprocess.PIPE, **as_other)  # type: ignore[call-overload]
    try:
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < until, process.stderr.read().decode()[-2000:]
                time.sleep(0.1)
        yield f"postgresql://postgres@127.0.0.1:{port}/{direct.database}"
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()
        shutil.rmtree(folder)


def test_an_edition_goes_out_by_two_workers(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.database("template0") as url, pooled(url) as by_pooler, Receiver(RATE, SEED) as receiver:
        run(migrations.upgrade(by_pooler))
        night = Night(tmp_path, by_pooler, receiver)
        try:
            night.prepare(READERS)
            night.start()
            night.start()
            flowing(night)
            account = finished(night)
        finally:
            night.end()
        assert "prepared statement" not in night.log()
    assert_everybody_has_it(account)
