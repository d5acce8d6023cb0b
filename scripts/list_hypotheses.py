"""List what the selected model says of rows without a label, and the labelled rows that it calls otherwise."""

import pandas as pd

from genestrata.files import read_json, read_table, write_json, write_table
from genestrata.hypotheses import add_periodicity, call_unlabelled, disagreements
from genestrata.logs import job_log
from genestrata.sinusoids import FALSE_DISCOVERY_RATE


def check_truth(calls, truth):
    """Simulated rows without a label: how many that have a class got it."""
    planted = calls.merge(truth, on="sample")
    planted = planted[planted["class"].notna()]
    return {"planted": len(planted), "right": int((planted["predicted"] == planted["class"]).sum())}


def main(inputs, outputs, models, calibration, cycle):
    """Write the calls of unlabelled rows, the disagreements and their counts."""
    selected = read_json(inputs.metrics)["selected"]
    raw = pd.read_parquet(dict(zip(models, inputs.predictions, strict=True))[selected])
    test = pd.read_parquet(inputs.test)
    test = test[test["model"] == selected]
    order = cycle or sorted(set(test["true"]))
    tables = {"calls": call_unlabelled(raw, calibration, order), "disagreements": disagreements(test, order)}
    if inputs.periodicity:
        periodicity = read_table(inputs.periodicity, dtype={"sample": str})
        tables = {name: add_periodicity(table, periodicity) for name, table in tables.items()}
    summary = {
        "model": selected,
        "to_predict": len(tables["calls"]),
        "calls": tables["calls"]["predicted"].value_counts().reindex(order, fill_value=0).to_dict(),
        "disagreements": len(tables["disagreements"]),
    }
    if inputs.periodicity:
        periodic = tables["calls"]["periodic_fdr"] < FALSE_DISCOVERY_RATE
        summary["periodic"] = int(periodic.sum())
    if inputs.truth:
        summary["truth"] = check_truth(tables["calls"], read_table(inputs.truth, dtype=str))
    for name, table in tables.items():
        write_table(table, getattr(outputs, name))
    write_json(summary, outputs.summary)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.models,
            snakemake.params.calibration,
            snakemake.params.cycle,
        )
