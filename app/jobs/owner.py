"""Who holds a lease: this process, by host, pid and a random word, so that a reused pid is somebody else."""

import os
import secrets
import socket


def make_owner() -> str:
    """At most 80 characters."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
