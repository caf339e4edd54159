"""Names of files for things whose names may hold any sign: views, categories."""

import hashlib
import re
import unicodedata

READABLE_LENGTH = 60


def file_name(name: str, suffix: str) -> str:
    """Return a portable file name, readable and different for different names.

    Examples
    --------
    >>> file_name("HAND & BODY/LOTION", ".skops")
    'hand-body-lotion-54a4d86f.skops'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:READABLE_LENGTH]
    checksum = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{readable}-{checksum}{suffix}"
