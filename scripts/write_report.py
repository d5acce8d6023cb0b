"""Write the report page."""

from pathlib import Path

from genestrata.logs import job_log
from genestrata.reporting import write_report

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        write_report(
            snakemake.params.studies,
            Path(snakemake.output.report).parent,
            Path(snakemake.input.template),
            Path(snakemake.input.css),
            Path(snakemake.output.report),
        )
