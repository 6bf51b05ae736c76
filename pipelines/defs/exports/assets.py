"""The reports as CSV and XLSX, an asset each."""

import dagster as dg

from oms.kernel import clock
from pipelines.lib import exporting
from pipelines.lib.freshness import NIGHTLY
from pipelines.resources import SystemResource


def _export(report: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["exports", report], group_name="exports", deps=[["published", "marts"]],
        kinds={"csv", "excel"}, owners=["team:data"], freshness_policy=NIGHTLY,
        description=f"{report.replace('_', ' ').capitalize()} of the last four weeks, as files.",
    )  # fmt: skip
    def export(system: SystemResource) -> dg.MaterializeResult[None]:
        settings = system.settings
        written = exporting.export(
            report, settings.exports_dir, settings.published_dir, today=clock.now().date()
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(file.rows_count for file in written),
                "files": [file.path.name for file in written],
            }
        )

    return export


reports = [_export(report) for report in exporting.REPORTS]
