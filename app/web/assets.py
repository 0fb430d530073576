"""Static files: each is named with a hash of its content, so a browser may keep it for a year."""

import hashlib
from pathlib import Path

from fastapi.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_KEPT = "public, max-age=31536000, immutable"
_ASKED_EACH_TIME = "no-cache"


class Assets(StaticFiles):
    """Serves static/, with the hashes of its files as they were at start."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)
        self._hashes = {
            path.relative_to(FOLDER).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for path in sorted(FOLDER.rglob("*"))
            if path.is_file()
        }

    def path(self, name: str) -> str:
        """The path of a file under static/, with its hash in the query. KeyError where there is no such file."""
        return f"/static/{name}?v={self._hashes[name]}"

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        # Only the right hash may be kept for good: during a deployment a page can name a file we do not have yet.
        named = f"v={self._hashes.get(path)}".encode()
        answer.headers["cache-control"] = _KEPT if scope["query_string"] == named else _ASKED_EACH_TIME
        return answer
