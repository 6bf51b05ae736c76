"""The one freshness policy: what is made every night may be a night late, not two."""

from datetime import timedelta
from typing import Final

import dagster as dg

NIGHTLY: Final = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)
)
