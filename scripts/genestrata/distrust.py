"""What to distrust in a study, computed from its results: a list of sentences, the most serious first."""

from collections.abc import Mapping
from typing import Any

from genestrata.models.registry import model_title
from genestrata.set_names import IN_SAMPLE, OUT_OF_SAMPLE, title_in_scope
from genestrata.wording import TERMS, Terms

SMALL_CLASS = 20
WIDE_INTERVAL = 0.15
UNSTABLE = 0.5
POOR_CALIBRATION = 0.1
# Share of random gene sets that may do as well as a set.
CHANCE = 0.05
# Gain of a random split above which it is named.
FLATTERY = 0.03


def tested_samples(entry: Mapping[str, Any]) -> int:
    """Number of samples behind a model's entry of metrics.json."""
    return sum(values["support"] for values in entry["per_class"].values())


def reasons_to_distrust(
    metrics: Mapping[str, Any],
    cleaning: Mapping[str, Any],
    stability: Mapping[str, Any],
    clusters: Mapping[str, Any],
    terms: Terms = TERMS["expression"],
) -> list[str]:
    """Reasons found in metrics.json, cleaning.json, stability.json and the cluster summary, in the study's terms."""
    selected = metrics["selected"]
    entry, protocol = metrics["models"][selected], metrics["protocol"]
    reasons = []
    if metrics["data"] == "simulated":
        reasons.append(f"The data are simulated: classes are easier to tell apart than in real {terms.samples}.")

    control, chance = metrics["controls"]["permuted_labels"]["balanced_accuracy"], 1 / len(metrics["classes"])
    low, high = control["ci95"]
    if not low <= chance <= high:
        reasons.append(
            f"On permuted labels the protocol scores {low:.2f} to {high:.2f}, which does not contain {chance:.2f}: "
            f"something leaks, or too few {terms.samples} were tested."
        )
    if protocol["inner_samples_per_class"] < 2:
        reasons.append(
            f"Inner folds fit on one {terms.sample} of each class: there {terms.features} rank by their variance, not "
            "by how they separate the classes, so that tuning and inner scores are rough."
        )
    score = entry["balanced_accuracy"]
    if score["ci95"][0] <= metrics["models"]["majority"]["balanced_accuracy"]["value"]:
        reasons.append("The interval of the selected model contains the score of guessing the largest class.")
    flattery = {
        model: entry["gap"]["balanced_accuracy"]["value"]
        for model, entry in metrics.get("extra", {}).get("random_split", {}).items()
    }
    if flattery and max(flattery.values()) > FLATTERY:
        model = max(flattery, key=flattery.get)
        reasons.append(
            f"Figures from random splits do not compare: by recognising relatives {model_title(model)} gains "
            f"{flattery[model]:.2f} of balanced accuracy there."
        )
    small = {label: size for label, size in metrics["classes"].items() if size < SMALL_CLASS}
    if small:
        named = ", ".join(f"{label} ({size})" for label, size in small.items())
        reasons.append(f"Small classes: {named}. Their recall rests on a few {terms.samples}.")
    if protocol["replicates"] == "shared":
        reasons.append(
            f"Replicates shared: the question asked is to recognise a kind of {terms.sample} that was seen in training,"
            " which is easy. The scores say nothing about a kind that was not."
        )
    elif protocol["replicates_shared"]:
        places = " and ".join(f"{place} folds" for place in protocol["replicates_shared"])
        reasons.append(f"Replicates shared: {terms.samples} of one group stand on both sides of {places}.")
    if protocol["scheme"] == "cv" and "homology" in cleaning and cleaning["homology"] is None:
        reasons.append(
            f"Relatives are not kept together: test {terms.samples} whose near copies were in training ask for "
            "recognition only."
        )
    lacking = protocol["test_folds_without_class"]
    if lacking:
        named = ", ".join(f"{label} ({len(folds)})" for label, folds in lacking.items())
        area = "is pooled over all folds" if entry["roc_auc_pooled"] else "leaves them out"
        reasons.append(f"Test folds without a class: {named}. The ROC-AUC of the class {area}.")
    width = score["ci95"][1] - score["ci95"][0]
    tested = tested_samples(entry)
    if score["value"] == 1:
        reasons.append(
            f"No error among {tested} tested {terms.samples}: the interval has no width, yet an error rate of up to "
            f"{3 / tested:.0%} is compatible with that (rule of three)."
        )
    if width > WIDE_INTERVAL:
        reasons.append(
            f"The balanced accuracy is known to within {width:.2f} only; models inside that width are equals."
        )
    gap = entry["inner_score"]["balanced_accuracy"] - score["value"]
    if protocol["scheme"] == "published":
        reasons.append(
            f"One published split: the interval covers chance among the test {terms.samples}, not the choice of the "
            "split"
            + (f", and the test part scores {gap:.2f} below the training part's own estimate." if gap > 0.03 else ".")
        )
    for kind, applies in (("folds", protocol["scheme"] in ("cv", "grouped_cv")), ("inner_folds", True)):
        if applies and protocol[kind] < protocol[f"{kind}_requested"]:
            reasons.append(
                f"{protocol[kind]} {kind.replace('_', ' ')} instead of {protocol[f'{kind}_requested']}: the smallest "
                "class is too small for more."
            )
    if entry["ece"]["value"] > POOR_CALIBRATION:
        reasons.append(
            f"Probabilities are off by {entry['ece']['value']:.2f} on average: read them as an order, not as odds."
        )
    index = stability["selection_inner"]["index"]
    if index is not None and index < UNSTABLE:
        reasons.append(
            f"The selected {terms.features} change between training parts (stability {index:.2f}): the rank of a "
            f"single {terms.feature} means little."
        )
    random_sets = clusters["random_sets"]
    scope = OUT_OF_SAMPLE if OUT_OF_SAMPLE in random_sets else IN_SAMPLE
    comparison = random_sets.get(scope, {})
    compared = {title_in_scope(name, scope): entry for name, entry in comparison.get("sets", {}).items()}
    drawn = [(name, entry) for name, entry in compared.items() if "free" in entry]
    largest_p = {name: max(entry[kind]["p"] for kind in ("free", "matched")) for name, entry in drawn}
    alike = {name: p for name, p in largest_p.items() if p > CHANCE}
    if alike:
        named = ", ".join(f"{name} (p = {p:.2g})" for name, p in alike.items())
        reasons.append(
            f"Random sets of {terms.features} cluster the {terms.samples} {scope} as well as these sets, or better: "
            f"{named}."
        )
    everything = comparison.get("all_genes")
    beaten = [name for name, entry in compared.items() if everything and entry["v_measure"] <= everything["v_measure"]]
    if beaten:
        reasons.append(
            f"All {terms.features} together cluster the {terms.samples} {scope} as well as these sets, or better: "
            f"{', '.join(beaten)}."
        )
    reasons += [f"From the cleaning: {warning}" for warning in cleaning.get("warnings", [])]
    best = metrics["models"][metrics["exploratory_best"]]["balanced_accuracy"]["value"]
    if best > score["value"]:
        reasons.append(
            "Another model does better on the test part than the selected one; choosing it now would be choosing by "
            "the test."
        )
    reasons.append(
        f"Intervals treat {terms.samples} as independent and describe these data; another laboratory or platform may "
        "differ more."
    )
    return reasons
