"""Saving fitted models as files that cannot run code: skops, UBJ for XGBoost, text for LightGBM, .keras for networks,
the rest as JSON."""

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genestrata.errors import InputError
from genestrata.files import atomic_path, read_json, write_json
from genestrata.kmers import STRANDS, KmerClassifier, KmerFeatures
from genestrata.models.backend import job_threads, start_backend
from genestrata.models.gradient_boosting import BoostedPool
from genestrata.models.lightgbm_trees import LightGBMTrees
from genestrata.models.networks import NetworkClassifier
from genestrata.models.sequence_networks import SequenceNetwork
from genestrata.models.tokens import TOKENS, n_tokens

# Types outside skops' own list that our models are made of; everything else in a file is refused. A tree is trusted
# only because `_check_tree` then looks at the node indices that scikit-learn follows without a bounds check.
TRUSTED_TYPES = [
    "genestrata.models.fourier_phase.FourierPhaseClassifier",
    "genestrata.models.kmer_nearest.NeighbourVotes",
    "genestrata.models.peak_time.PeakTimeClassifier",
    "genestrata.models.softmax_svm.SoftmaxLinearSVC",
    "genestrata.models.softmax_svm.SoftmaxSVC",
    "sklearn.tree._tree.Tree",
]
# skops knows every estimator of scikit-learn, and some of them hold trees where `load_skops` would not look.
ESTIMATORS = {
    "LinearDiscriminantAnalysis",
    "DummyClassifier",
    "FourierPhaseClassifier",
    "LogisticRegression",
    "NeighbourVotes",
    "PeakTimeClassifier",
    "SoftmaxLinearSVC",
    "SoftmaxSVC",
    "NearestCentroid",
    "DecisionTreeClassifier",
    "RandomForestClassifier",
}
TREES = {"DecisionTreeClassifier", "DecisionTreeRegressor"}
# Module to classes of which our networks are made; Keras' safe mode alone admits any of its own.
KERAS_PARTS = {
    "keras": {"Sequential", "DTypePolicy"},
    "keras.layers": {
        "InputLayer",
        "Dense",
        "Conv1D",
        "Conv2D",
        "Cropping1D",
        "LSTM",
        "Bidirectional",
        "BatchNormalization",
        "Dropout",
        "Embedding",
        "Flatten",
        "GlobalAveragePooling1D",
        "MaxPooling1D",
        "MaxPooling2D",
        "ReLU",
        "Rescaling",
        "Reshape",
        "ZeroPadding1D",
    },
    "keras.initializers": {"GlorotUniform", "Orthogonal", "RandomNormal", "Zeros", "Ones"},
    "keras.src.models.functional": {"Functional"},
    # What joins the experiments of a time series with its rows, and what masks the padding of a sequence.
    "keras.src.ops.core": {"Cast"},
    "keras.src.ops.numpy": {
        "Add",
        "Concatenate",
        "Divide",
        "ExpandDims",
        "Max",
        "Multiply",
        "NotEqual",
        "Reshape",
        "Squeeze",
        "Stack",
        "Subtract",
        "Sum",
    },
    # A reference to a layer's output, no object.
    "None": {"__keras_tensor__"},
}


@dataclass
class FittedModel:
    """A fitted model with all that turns raw rows into class probabilities.

    features : k names, in the order of the model's columns; mean, scale : (k,) float64 of the training rows
    classes : labels in the order of the probability columns; class_codes : codes that occurred in training
    settings : chosen k and parameters; keeps_missing : the model itself deals with missing values (NaN)
    """

    estimator: Any
    features: list[str]
    mean: np.ndarray
    scale: np.ndarray
    classes: list[str]
    class_codes: list[int]
    settings: dict[str, Any] = field(default_factory=dict)
    keeps_missing: bool = False

    def standardise(self, X: np.ndarray) -> np.ndarray:
        """Scale (n_samples, k) raw values with the training statistics; see `standardise`."""
        return standardise(X, self.mean, self.scale, self.keeps_missing)

    def predict_standardised(self, Z: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) from standardised values; a class unseen in training gets 0."""
        probabilities = np.zeros((len(Z), len(self.classes)))
        probabilities[:, self.class_codes] = self.estimator.predict_proba(Z)
        return probabilities

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) from raw values of `features`, (n_samples, k)."""
        return self.predict_standardised(self.standardise(X))

    def save(self, stem: Path) -> int:
        """Write `<stem>.skops`, `.ubj`, `.txt` or `.keras` and `<stem>.json`; returns their size in bytes."""
        counts_kmers = isinstance(self.estimator, KmerClassifier)
        estimator = self.estimator.estimator if counts_kmers else self.estimator
        path = stem.with_name(stem.name + _suffix(estimator))
        with atomic_path(path) as temporary:
            if path.suffix == ".ubj":
                estimator.save_model(temporary)
            elif path.suffix == ".txt":
                estimator.save(temporary)
            elif path.suffix == ".keras":
                estimator.network.save(temporary)
            else:
                save_skops(estimator, temporary)
        description = {
            "file": path.name,
            "features": self.features,
            "mean": self.mean,
            "scale": self.scale,
            "classes": self.classes,
            "class_codes": self.class_codes,
            "settings": self.settings,
            "keeps_missing": self.keeps_missing,
        }
        if isinstance(estimator, BoostedPool):
            description["weights"] = estimator.weights
        if counts_kmers:
            description["kmers"] = self.estimator.kmers.describe()
        json_path = stem.with_name(stem.name + ".json")
        write_json(description, json_path)
        return path.stat().st_size + json_path.stat().st_size

    @classmethod
    def load(cls, stem: Path) -> "FittedModel":
        """Read what `save` wrote; refuses a file that holds any type outside skops' and our own list."""
        description = read_json(stem.with_name(stem.name + ".json"))
        path = stem.with_name(description.pop("file"))
        if path.suffix == ".ubj":
            from xgboost import XGBClassifier

            estimator = XGBClassifier()
            try:
                estimator.load_model(path)
            except ValueError as error:
                raise InputError(f"{path}: not a readable model file: {error}") from None
            _check_booster(estimator, path)
        elif path.suffix == ".txt":
            estimator = LightGBMTrees.load(path, len(description.get("class_codes", [])))
        elif path.suffix == ".keras":
            estimator = load_network(path)
        else:
            estimator = load_skops(path)
        try:
            description["mean"] = np.asarray(description["mean"], dtype=float)
            description["scale"] = np.asarray(description["scale"], dtype=float)
            weights = description.pop("weights", None)
            if weights is not None:
                weights = np.asarray(weights, dtype=float)
                _check_weights(weights, description)
                estimator = BoostedPool(estimator, weights, description["class_codes"])
            kmers = description.pop("kmers", None)
            if kmers is not None:
                kmers = KmerFeatures.restore(kmers)
                _check_columns(estimator, len(kmers.vocabulary))
                estimator = KmerClassifier(kmers, estimator)
            if isinstance(estimator, NetworkClassifier):
                parameters = description["settings"].get("parameters", {})
                if "reads" in parameters or _takes_tokens(estimator.network):
                    _check_reading(estimator.network, parameters)
                    estimator = SequenceNetwork(estimator.network, parameters)
            return cls(estimator=estimator, **description)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{stem}.json: not the description of a Genestrata model: {error}") from None


def copy_model(stem: Path, target: Path) -> None:
    """Copy the files that `FittedModel.save` wrote under another name; nothing in them is loaded."""
    description = read_json(stem.with_name(stem.name + ".json"))
    source = stem.with_name(description["file"])
    description["file"] = target.name + source.suffix
    shutil.copyfile(source, target.with_name(description["file"]))
    write_json(description, target.with_name(target.name + ".json"))


def standardise(X: np.ndarray, mean: np.ndarray, scale: np.ndarray, keep_missing: bool = False) -> np.ndarray:
    """(X - mean) / scale as float32 with missing values at 0, which is the training mean, unless they are kept; text
    (object) as it is."""
    if X.dtype == object:
        return X
    with np.errstate(invalid="ignore"):
        Z = ((X - mean) / scale).astype(np.float32)
    return np.nan_to_num(Z, copy=False, nan=np.nan if keep_missing else 0.0)


def save_skops(estimator: Any, path: Path) -> None:
    """Write a scikit-learn estimator as a compressed skops archive."""
    import skops.io

    skops.io.dump(estimator, path, compression=zipfile.ZIP_DEFLATED)


def load_skops(path: Path) -> Any:
    """Read a scikit-learn estimator; raises InputError for a file that is no skops archive or not safe to use."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        estimator = skops.io.load(path, trusted=TRUSTED_TYPES)
    except UntrustedTypesFoundException as error:
        raise InputError(f"{path}: refused, it holds objects that a Genestrata model never holds: {error}") from None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a readable model file: {error}") from None
    parts = getattr(estimator, "estimators_", [])
    parts = list(parts.ravel() if isinstance(parts, np.ndarray) else parts)
    if type(estimator).__name__ not in ESTIMATORS or any(type(part).__name__ not in TREES for part in parts):
        raise InputError(f"{path}: refused, {type(estimator).__name__} is no model that Genestrata makes")
    if type(estimator).__name__ == "NeighbourVotes":
        _check_neighbours(estimator, path)
    for tree in [part.tree_ for part in [estimator, *parts] if hasattr(part, "tree_")]:
        # An ensemble hands its rows to its trees unchecked, so its own number of columns counts.
        _check_tree(tree.children_left, tree.children_right, tree.feature, estimator.n_features_in_, path)
    return estimator


def _check_weights(weights: np.ndarray, description: Mapping[str, Any]) -> None:
    """Raise ValueError unless a stack's description has one usable weight per base model."""
    per_class = weights.size * len(description["classes"])
    if (
        weights.ndim != 1
        or not np.all(np.isfinite(weights) & (weights >= 0))
        or per_class != len(description["features"])
    ):
        raise ValueError(f"found weights {weights.tolist()}, expected one of at least 0 for each base model")


def _check_columns(estimator: Any, n_columns: int) -> None:
    """Raise ValueError unless an estimator takes as many columns as its k-mers have."""
    shape = np.shape(estimator.coef_)[1:] if hasattr(estimator, "coef_") else (estimator.n_features_in_,)
    if shape != (n_columns,):
        raise ValueError(f"found an estimator of other columns than its {n_columns} k-mers")


def _check_neighbours(estimator: Any, path: Path) -> None:
    """Raise InputError unless the rows of nearest neighbours are a sound matrix with one label a row.

    SciPy follows the indices of a sparse matrix without a bounds check.
    """
    try:
        profiles, labels, shares = estimator.profiles, estimator.labels, estimator.shares
        profiles.check_format(full_check=True)
        sound = (
            profiles.dtype == np.float32
            and all(part.dtype.kind == "i" for part in (estimator.columns, estimator.starts, labels))
            and labels.shape == profiles.shape[:1]
            and np.all((labels >= 0) & (labels < len(estimator.classes_)))
            and shares.shape == estimator.classes_.shape
            and np.all(np.isfinite(shares) & (shares > 0))
            and np.all(np.isfinite(profiles.data) & (profiles.data >= 0))
            and isinstance(estimator.neighbours, int)
            and estimator.neighbours >= 1
        )
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"{path}: refused, its nearest neighbours are no sound matrix: {error}") from None
    if not sound:
        raise InputError(f"{path}: refused, its nearest neighbours are no sound matrix with one label a row")


def _check_booster(estimator: Any, path: Path) -> None:
    """`_check_tree` for XGBoost, which reads indices from a file and follows them without a bounds check too."""
    learner = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    shape, booster = learner["learner_model_param"], learner["gradient_booster"]
    n_outputs = max(1, int(shape["num_class"]))
    if booster["name"] != "gbtree" or not all(0 <= place < n_outputs for place in booster["model"]["tree_info"]):
        raise InputError(f"{path}: refused, it is no set of trees that Genestrata makes")
    for tree in booster["model"]["trees"]:
        children = [np.array(tree[side]) for side in ("left_children", "right_children")]
        _check_tree(*children, np.array(tree["split_indices"]), int(shape["num_feature"]), path)


def _check_tree(left: np.ndarray, right: np.ndarray, feature: np.ndarray, n_features: int, path: Path) -> None:
    """Raise InputError if a tree points outside its nodes or the columns, or back to an earlier node.

    left, right, feature : (n_nodes,) int; a leaf has -1 as left child.
    """
    inner = np.flatnonzero(left != -1)
    children = np.stack([left[inner], right[inner]])
    if not (
        np.all((children > inner) & (children < len(left)))
        and np.all((feature[inner] >= 0) & (feature[inner] < n_features))
    ):
        raise InputError(f"{path}: refused, a decision tree in it points outside its own nodes or columns")


def load_network(path: Path) -> NetworkClassifier:
    """Read a network in Keras' safe mode; raises InputError for a damaged file or one with other layers than ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a readable network: {error}") from None
    found = {(str(part.get("module")), str(part["class_name"])) for part in _keras_parts(config)}
    foreign = sorted(f"{module}.{name}" for module, name in found if name not in KERAS_PARTS.get(module, ()))
    if foreign:
        raise InputError(f"{path}: refused, it holds parts that a Genestrata network never holds: {', '.join(foreign)}")
    start_backend(job_threads())
    import keras

    try:
        network = keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a readable network: {error}") from None
    return NetworkClassifier(network)


def _takes_tokens(network: Any) -> bool:
    """Are ids the one input of a network?"""
    return [(str(rows.dtype), tuple(rows.shape)) for rows in network.inputs] == [("int32", (None, None))]


def _check_reading(network: Any, parameters: Mapping[str, Any]) -> None:
    """Raise ValueError unless a network looks up all ids, and no others, that the reading of its description makes."""
    import keras

    missing = {"reads", "longest", "strands"} - set(parameters)
    if missing:
        raise ValueError(f"a network that reads sequences lacks {', '.join(sorted(missing))} in its settings")
    reads, longest, strands = (parameters[key] for key in ("reads", "longest", "strands"))
    if reads not in list(TOKENS):
        raise ValueError(f"found reads {reads!r}, expected one of {', '.join(TOKENS)}")
    if longest is not None and (type(longest) is not int or longest < 1):
        raise ValueError(f"found longest {longest!r}, expected a whole number of at least 1 or null")
    if strands not in STRANDS:
        raise ValueError(f"found strands {strands!r}, expected one of {', '.join(STRANDS)}")
    # An id beyond the table is an error in one backend and some other token in the next.
    sizes = [layer.input_dim for layer in network.layers if isinstance(layer, keras.layers.Embedding)]
    if not _takes_tokens(network) or sizes != [n_tokens(reads)]:
        raise ValueError(f"found a network that does not look up the {n_tokens(reads)} ids of {reads}")


def _keras_parts(config: Any) -> Iterator[dict[str, Any]]:
    """Every object that a Keras configuration would build, at any depth."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _keras_parts(part)


def _suffix(estimator: Any) -> str:
    if isinstance(estimator, NetworkClassifier):
        return ".keras"
    if isinstance(estimator, LightGBMTrees):
        return ".txt"
    is_boosting = isinstance(estimator, BoostedPool) or type(estimator).__module__.startswith("xgboost")
    return ".ubj" if is_boosting else ".skops"
