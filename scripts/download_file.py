"""Fetch one published file."""

from genestrata.download import fetch
from genestrata.logs import job_log

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        fetch(
            snakemake.wildcards.folder,
            snakemake.params.entry.get("url"),
            snakemake.params.entry["sha256"],
            snakemake.config["mirror"],
            snakemake.output[0],
        )
