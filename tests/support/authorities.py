"""A file with one certificate authority, for clients that load all they know each time they are built.

An HTTP client loads some 150 authorities when it is built: 1.7 MB and 90 ms. The tests build thousands, and talk plain HTTP to 127.0.0.1 only.
"""

from __future__ import annotations

import os
from pathlib import Path

import certifi

VARIABLE, USERS = "SSL_CERT_FILE", "LG_TOOLROUTE_USERS_SSL_CERT_FILE"
END = "-----END CERTIFICATE-----\n"


def load_one_only(folder: Path) -> None:
    """Have the HTTP clients of this process, and of those that it starts, load one authority.

    Args:
        folder: Where the file is written.
    """
    if USERS not in os.environ:  # a process of pytest-xdist inherits what the first one set
        folder.mkdir(exist_ok=True)
        file = folder / "one_authority.pem"
        file.write_text(certifi.contents().partition(END)[0] + END, encoding="utf-8")
        os.environ[USERS] = os.environ.get(VARIABLE, "")
        os.environ[VARIABLE] = str(file)


def environment_with_all() -> dict[str, str]:
    """The environment for a process that has to reach a package index: with the authorities that the user chose."""
    environment = {name: value for name, value in os.environ.items() if name not in (VARIABLE, USERS)}
    users = os.environ.get(USERS) or ("" if USERS in os.environ else os.environ.get(VARIABLE, ""))
    return {**environment, VARIABLE: users} if users else environment
