"""Export the network fitted on all labelled rows as ONNX and write what its last hidden layer makes of every row."""

from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

from genestrata.calibration import Calibration, apply_temperature
from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.embedding import plot_embedding
from genestrata.exporting import OPSET, to_onnx
from genestrata.files import atomic_path, write_json, write_table
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.logs import job_log
from genestrata.models.registry import model_title
from genestrata.models.storage import FittedModel
from genestrata.predictions import class_names, codes, probabilities
from genestrata.splitting import FINAL
from genestrata.tables import read_samples


def main(inputs, outputs, model_name, calibration, cycle, method, data, seed):
    """Write the ONNX file, how well it agrees with the network, the embeddings and their map."""
    cohort = Cohort.read(inputs.features, read_samples(inputs.samples))
    model = FittedModel.load(Path(inputs.models) / FINAL)
    rows = pd.read_parquet(inputs.predictions)
    rows = rows[(rows["fold"] == FINAL) & rows["inner_fold"].notna()]
    fitted = Calibration.fit(probabilities(rows), codes(rows["true"], class_names(rows)), calibration)
    # Without calibration the probabilities are those of the network.
    temperature = fitted.temperature or 1.0
    exported = to_onnx(model, temperature)
    with atomic_path(outputs.network) as path:
        path.write_bytes(exported.SerializeToString())

    position = pd.Series(np.arange(len(cohort.features)), index=cohort.features)
    values = cohort.values[:, position[model.features].to_numpy()]
    session = onnxruntime.InferenceSession(outputs.network, providers=["CPUExecutionProvider"])
    deployed, embedding = session.run(["probabilities", "embedding"], {"values": values})
    full = apply_temperature(model.predict_proba(values), temperature)[:, model.class_codes]
    report = {
        "bytes": Path(outputs.network).stat().st_size,
        "weights": int(model.estimator.network.count_params()),
        "opset": OPSET,
        "rows": len(values),
        "same_call": float(np.mean(deployed.argmax(axis=1) == full.argmax(axis=1))),
        "largest_difference": float(np.abs(deployed - full).max()),
        "temperature": temperature,
        "features": model.features,
        "classes": [model.classes[code] for code in model.class_codes],
    }
    write_json(report, outputs.report)
    table = pd.DataFrame(embedding, columns=[f"unit_{number}" for number in range(1, embedding.shape[1] + 1)])
    table.insert(0, "sample", cohort.samples)
    table.insert(1, "label", cohort.labels)
    write_table(table, outputs.embeddings)
    plot_embedding(
        embedding,
        cohort.labels,
        cycle or cohort.classes,
        method,
        f"{model_title(model_name)}: last hidden layer, fitted on all labelled rows",
        Path(outputs.figure[0]).with_suffix(""),
        seed,
        simulated_note(data),
    )


if __name__ == "__main__":
    hide_gpus_unless_granted(snakemake.resources.get("gpu", 0))
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.wildcards.model,
            snakemake.params.calibration,
            snakemake.params.cycle,
            snakemake.params.map,
            snakemake.params.data,
            snakemake.params.seed,
        )
