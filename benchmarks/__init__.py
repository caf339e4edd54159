"""What is measured, and the commands that measure it."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the Snakefile."""

# The functions that are measured are imported by the names that the scripts import them by.
sys.path.insert(0, str(ROOT / "scripts"))
