"""What the programs accept on their command lines: the workflow's own names."""

import yaml

from clustering.configuration import environments
from ops import ROOT

ENVIRONMENTS = environments(yaml.safe_load((ROOT / "config" / "schema.yaml").read_text()))
