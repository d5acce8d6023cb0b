"""Names of the gene sets that are compared: the consensus of models, explained models, rankings of the data."""

from collections.abc import Iterable

from genestrata.models.registry import model_title

CONSENSUS = "consensus"
# Rankings by t per class that need no model: with the gene's own variance, and with one shrunk towards that of others.
DATA_RANKINGS = ("anova_f", "moderated_f")
TITLES = {CONSENSUS: "Consensus", "anova_f": "ANOVA", "moderated_f": "Moderated t"}

# Whether the samples that are clustered chose the set.
IN_SAMPLE, OUT_OF_SAMPLE = "in sample", "out of sample"
# Where gene sets are clustered: in the standardised expression, and on its map.
EXPRESSION, UMAP = "expression", "umap"
SPACES = {EXPRESSION: "expression", UMAP: "UMAP"}
# Agreement of clusters with labels by which sets are compared.
SCORES = ("v_measure", "homogeneity", "completeness", "purity")


def set_title(name: str) -> str:
    """A set as figures and the report call it."""
    return TITLES.get(name) or model_title(name)


def title_in_scope(name: str, scope: str) -> str:
    """A set as it is called in sample or out of sample, where no consensus is formed: what training rows select stands
    for it."""
    return "Selected in training" if name == CONSENSUS and scope == OUT_OF_SAMPLE else set_title(name)


def size_range(sizes: Iterable[int]) -> str:
    """Sizes of a set in the parts of a study, as figures and the report give them: 50, or 78–91 where they differ."""
    sizes = sorted(sizes)
    return str(sizes[0]) if sizes[0] == sizes[-1] else f"{sizes[0]}–{sizes[-1]}"
