"""Reading and writing dictionaries as JSON."""

import json
from pathlib import Path
from typing import Any

from clustering.tables import write_whole


def read_dictionary(path: str) -> dict[str, Any]:
    """Read a dictionary from a JSON file."""
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def write_dictionary(content: dict[str, Any], path: str) -> None:
    """Write a dictionary as indented JSON, whole or not at all; a non-finite number is refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
