"""Programs around the workflow, run by a person or a timer."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the Snakefile."""

# What the scripts share is imported here by the name that they import it by.
sys.path.insert(0, str(ROOT / "scripts"))
