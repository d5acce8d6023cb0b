"""Reading and checking config.yaml and study files; messages name file, key, what was found and what is allowed."""

import copy
import csv
import difflib
import functools
import itertools
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators

from genestrata.errors import InputError
from genestrata.label_pattern import compile_pattern
from genestrata.models import load_module, parameter_grid
from genestrata.models.registry import REGISTRY
from genestrata.readers import READERS
from genestrata.schemes import check_repeats
from genestrata.set_names import CONSENSUS, DATA_RANKINGS
from genestrata.simulators import SIMULATOR_TASKS, SIMULATORS

# Keys of a study that name the files of its data, and all that name a file, relative to the study file.
DATA_KEYS = ("expression", "samples", "unfinished", "sequences", "fasta", "fasta_file")
FILE_KEYS = ("expression", "samples", "unfinished", "sequences", "fasta_file", "gene_positions")
# Tables that rule merge_tracking builds, the names of its outputs in rules/data.smk, and how its inputs are listed.
BUILT_TABLES = ("fpkm.tsv.gz", "samples.tsv", "fpkm_status_not_ok.tsv")
REGISTRY_COLUMNS = ["file", "sha256", "url"]
# Defaults that a study may remove with a null; without any other one a job would stop.
REMOVABLE = ("stack", "homology")
# Keys that only studies of one task have.
TASK_KEYS = {"series": "time_series", "transfer": "time_series", "homology": "sequence"}
# Types of a JSON schema in the words of YAML.
TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
# Sections of a study that a source may override; its other keys say where the data come from.
SOURCE_KEYS = {"public": ("folder", "reader", "files"), "simulated": ("simulator", "classes")}
SOURCE_OVERRIDES = (
    "clean",
    "select",
    "evaluation",
    "models",
    "model_params",
    "stack",
    "controls",
    "explain",
    "cluster",
    "series",
    "transfer",
    "map",
    "homology",
)


# JSON counts 2.0 as a whole number and YAML knows .nan; a job can use neither.
StrictValidator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ).redefine(
        "number",
        lambda _, value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    ),
)


def merge(base: Any, override: Any) -> Any:
    """Merge two settings: dicts deeply, anything else (lists too) replaced, a null in `override` removes the key."""
    if not (isinstance(base, Mapping) and isinstance(override, Mapping)):
        return copy.deepcopy(override)
    merged = {key: copy.deepcopy(value) for key, value in base.items() if key not in override}
    for key, value in override.items():
        if value is not None:
            merged[key] = merge(base.get(key, {}), value)
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; raises InputError for a missing file, a syntax error or anything but a mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error})") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {_kind(content)}, expected a mapping of keys to values")
    return content


def validate(content: Mapping[str, Any], schema: Mapping[str, Any], file: str | Path) -> None:
    """Raise InputError that lists, one per line, every violation of the schema in `content`."""
    errors = sorted(StrictValidator(schema).iter_errors(content), key=lambda error: list(map(str, error.path)))
    if errors:
        # A schema error per missing key, but one message for all of them.
        raise InputError("\n".join(dict.fromkeys(_explain(error, file) for error in errors)))


def _kind(value: Any) -> str:
    """A value as a message shows it: its text and its type."""
    names = {str: "text", bool: "true/false", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return "nothing" if value is None else f"{value!r} ({names.get(type(value), type(value).__name__)})"


def _dotted(parts: Iterable[Any]) -> str:
    return ".".join(map(str, parts))


def _explain(error: Any, file: str | Path) -> str:
    """One line for a violation of a schema: file, key, what was found, what is allowed."""
    key = _dotted(error.path)
    rule, limit = error.validator, error.validator_value
    if rule == "additionalProperties" and limit is False:
        allowed = sorted(error.schema.get("properties", {}))
        unknown = sorted(str(name) for name in error.instance if name not in allowed)
        return "\n".join(unknown_name(file, _dotted([*error.path, name]), name, allowed, "key") for name in unknown)
    if rule == "required":
        missing = [name for name in limit if name not in error.instance]
        where = f"{key}: " if key else ""
        return f"{file}: {where}required {'key' if len(missing) == 1 else 'keys'} missing: {', '.join(missing)}"
    expectations = {
        "enum": lambda: "one of " + ", ".join(map(str, limit)),
        "type": lambda: " or ".join(TYPES.get(t, t) for t in ([limit] if isinstance(limit, str) else limit)),
        "minimum": lambda: f"at least {limit}",
        "maximum": lambda: f"at most {limit}",
        "exclusiveMinimum": lambda: f"more than {limit}",
        "exclusiveMaximum": lambda: f"less than {limit}",
        "minItems": lambda: f"a list of at least {limit}",
        "minProperties": lambda: f"at least {limit} keys",
        "minLength": lambda: "a text that is not empty",
        "maxLength": lambda: f"at most {limit} characters",
        "uniqueItems": lambda: "no item twice",
        "pattern": lambda: f"text like {limit}",
    }
    expected = expectations[rule]() if rule in expectations else error.message
    exponent = isinstance(error.instance, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", error.instance)
    hint = "; YAML reads it as text, write it with a decimal point (1.0e-4)" if exponent else ""
    return f"{file}: {key or 'the file'}: found {_kind(error.instance)}, allowed: {expected}{hint}"


def unknown_name(file: str | Path, key: str, name: str, allowed: Iterable[str], noun: str = "name") -> str:
    """Message for a name that is not among the allowed ones, with the closest of them."""
    allowed = sorted(map(str, allowed))
    close = difflib.get_close_matches(str(name), allowed, n=1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return f"{file}: {key}: unknown {noun} '{name}'{hint}; allowed: {', '.join(allowed)}"


class Catalogue:
    """The studies, defaults and schemas that ship with a workflow folder."""

    def __init__(self, workflow: str | Path):
        self.resources = Path(workflow) / "resources"

    @functools.cached_property
    def config_schema(self) -> dict[str, Any]:
        """Schema of config.yaml."""
        return read_yaml(self.resources / "schemas" / "config.schema.yaml")

    @functools.cached_property
    def study_schema(self) -> dict[str, Any]:
        """Schema of a study file."""
        return read_yaml(self.resources / "schemas" / "study.schema.yaml")

    def study_path(self, entry: str, directory: Path, file: str | Path, key: str) -> Path:
        """Path of a study given by name or, with a slash or a YAML ending, by path relative to `directory`."""
        if "/" in entry or entry.endswith((".yaml", ".yml")):
            path = directory / entry
            if not path.is_file():
                raise InputError(f"{file}: {key}: no study file at {path}")
            return path
        path = self.resources / "studies" / f"{entry}.yaml"
        if not path.is_file():
            shipped = [study.stem for study in (self.resources / "studies").glob("*.yaml")]
            raise InputError(unknown_name(file, key, entry, shipped, "study") + "; or a path to your own .yaml")
        return path

    def read_study_file(self, path: Path, descendants: tuple[Path, ...] = ()) -> list[dict[str, Any]]:
        """Read and check one study file and those that it extends, oldest first; file paths become absolute.

        They stay apart because a null of a variant must also remove what only the defaults of the task say.
        """
        content = read_yaml(path)
        validate(_without_nulls(content), self.study_schema, path)
        for key in FILE_KEYS:
            if content.get(key) is not None:
                content[key] = str((path.parent / content[key]).resolve())
        if content.get("fasta") is not None:
            # YAML reads 1 as a number; labels are text.
            content["fasta"] = {
                str(label): file and str((path.parent / file).resolve()) for label, file in content["fasta"].items()
            }
        public = (content.get("sources") or {}).get("public") or {}
        if public.get("built_from") is not None:
            public["built_from"] = str((path.parent / public["built_from"]).resolve())
        parent = content.pop("extends", None)
        if parent is None:
            return [content]
        lineage = (*descendants, path.resolve())
        parent_path = self.study_path(parent, path.parent, path, "extends")
        if parent_path.resolve() in lineage:
            raise InputError(f"{path}: extends: {parent} extends this study in turn")
        inherited = self.read_study_file(parent_path, lineage)
        inherited[-1].pop("name", None)
        return [*inherited, content]

    def load_study(self, path: Path, data: str) -> dict[str, Any]:
        """Resolve one study for a run: its file, what it extends, the chosen source and the defaults of its task.

        Adds `name`, `data` (simulated, public or user), `source` (the chosen source's own keys, {} for user files) and
        `asks_set_size` (whether the size of gene sets is the study's own).
        """
        layers = self.read_study_file(path)
        study = functools.reduce(merge, layers, {})
        missing = [key for key in ("title", "task") if key not in study]
        if missing:
            raise InputError(f"{path}: required key missing: {', '.join(missing)}")
        sources = study.get("sources")
        if sources is None:
            _check_user_files(study, path)
            data, own = "user", {}
        else:
            mixed = [key for key in (*DATA_KEYS, "label_column") if key in study]
            if mixed:
                raise InputError(
                    f"{path}: {', '.join(mixed)}: a study has either `sources` or files of its own; with `extends`, "
                    "`sources: null` removes the inherited ones"
                )
            if data not in sources:
                raise InputError(f"{path}: sources: no source '{data}'; this study has: {', '.join(sources)}")
            _check_file(study, "gene_positions", path)
            own = {key: value for key, value in sources[data].items() if key not in SOURCE_OVERRIDES}
            missing = [key for key in SOURCE_KEYS[data] if key not in own]
            if missing:
                raise InputError(f"{path}: sources.{data}: required key missing: {', '.join(missing)}")
            if data == "public":
                own["built_from"] = _read_built_from(own, path)
            layers = list(itertools.chain.from_iterable((layer, _overrides(layer, data)) for layer in layers))
        group = functools.reduce(merge, layers, {}).get("evaluation", {}).get("group")
        if group is not None:
            layers.append({"columns": {"group": group}})
        defaults = read_yaml(self.resources / "defaults" / f"{study['task']}.yaml")
        study = functools.reduce(merge, layers, defaults)
        _drop_inherited_choices(study, layers)
        study.pop("sources", None)
        study["name"] = re.sub(r"[^a-z0-9_]", "_", str(study.get("name", path.stem)).lower())
        study |= {"data": data, "source": own}
        # A default is for studies of any size; what a study asks for itself must be there.
        study["asks_set_size"] = any("set_size" in (layer.get("cluster") or {}) for layer in layers)
        # YAML reads an Entrez id as a number; features are text.
        study["markers"] = {str(feature): name for feature, name in study.get("markers", {}).items()}
        _check_complete(study, defaults, path)
        study["evaluation"].setdefault("group", None)
        _check_names(study, path)
        return study

    def load_studies(self, config: Mapping[str, Any], directory: Path) -> dict[str, dict[str, Any]]:
        """Check the configuration and resolve its studies, name to study, in the order of the configuration."""
        validate(config, self.config_schema, "config")
        studies: dict[str, dict[str, Any]] = {}
        origins: dict[str, Path] = {}
        for entry in config["studies"]:
            path = self.study_path(entry, directory, "config", "studies")
            study = self.load_study(path, config["data"])
            name = study["name"]
            if name in studies:
                raise InputError(f"config: studies: {origins[name]} and {path} both give a study named '{name}'")
            studies[name], origins[name] = study, path
        return studies


def _overrides(layer: Mapping[str, Any], data: str) -> dict[str, Any]:
    """Sections that a study file sets for one source; they override its own and those of the study it extends."""
    source = (layer.get("sources") or {}).get(data) or {}
    return {key: value for key, value in source.items() if key in SOURCE_OVERRIDES}


def _drop_inherited_choices(study: dict[str, Any], layers: list[dict[str, Any]]) -> None:
    """Forget models to stack, explain or compare that were named for a list of models which a later layer replaced."""
    stated = [number for number, layer in enumerate(layers) if layer.get("models")]
    for section, key in (("stack", "base"), ("explain", "models")):
        named = [number for number, layer in enumerate(layers) if (layer.get(section) or {}).get(key)]
        if stated and named and stated[-1] > named[-1]:
            study.get(section, {}).pop(key, None)
    compared = [number for number, layer in enumerate(layers) if (layer.get("controls") or {}).get("random_split")]
    # The defaults name some too.
    split = study.get("controls", {}).get("random_split")
    if split and stated and (not compared or stated[-1] > compared[-1]):
        study["controls"]["random_split"] = [model for model in split if model in study["models"]]
    compared = [number for number, layer in enumerate(layers) if (layer.get("cluster") or {}).get("gene_sets")]
    if stated and compared and stated[-1] > compared[-1]:
        kept = [name for name in study["cluster"]["gene_sets"] if name not in REGISTRY or name in study["models"]]
        study["cluster"]["gene_sets"] = kept or [CONSENSUS]


def _read_built_from(source: Mapping[str, Any], path: Path) -> dict[str, dict[str, str]]:
    """Published files that a source's files without a URL are built from: name to url and sha256; {} for none.

    Raises InputError for a file without a URL that nothing builds, and for a table that is no list of files.
    """
    built = [name for name, entry in source["files"].items() if "url" not in entry]
    if not built and "built_from" not in source:
        return {}
    if "built_from" not in source:
        raise InputError(
            f"{path}: sources.public.files.{built[0]}: required key missing: url, or sources.public.built_from"
        )
    for name in built:
        if name not in BUILT_TABLES:
            raise InputError(unknown_name(path, "sources.public.files", name, BUILT_TABLES, "table to be built"))
    table = Path(source["built_from"])
    try:
        rows = list(csv.reader(table.read_text(encoding="utf-8-sig").splitlines(), delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: sources.public.built_from: {table} cannot be read as text ({error})") from None
    if not rows or rows[0] != REGISTRY_COLUMNS:
        found = ", ".join(rows[0]) if rows else "nothing"
        raise InputError(f"{table}: found columns {found}; expected {', '.join(REGISTRY_COLUMNS)}, separated by tabs")
    files: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows[1:], start=2):
        patterns = (r"[A-Za-z0-9_.-]+", r"[0-9a-f]{64}", r"https?://\S+")
        if len(row) != len(patterns) or not all(map(re.fullmatch, patterns, row)):
            raise InputError(f"{table}: line {number}: expected a file name, its sha256 and its URL, found {row}")
        if row[0] in files or row[0] in source["files"]:
            raise InputError(f"{table}: line {number}: file '{row[0]}' is listed twice")
        files[row[0]] = {"sha256": row[1], "url": row[2]}
    return files


def _without_nulls(content: Any) -> Any:
    """A study file without its nulls, which mean "remove" in a variant and are of no type that the schema asks for."""
    if isinstance(content, dict):
        return {key: _without_nulls(value) for key, value in content.items() if value is not None}
    return content


def _check_complete(study: Mapping[str, Any], defaults: Mapping[str, Any], path: Path, prefix: str = "") -> None:
    """Raise InputError where a null removed a default that every study needs."""
    for key, default in defaults.items():
        if default is None or prefix + key in REMOVABLE:
            continue
        if key not in study:
            raise InputError(f"{path}: {prefix}{key}: found nothing, but a value is needed; the default is {default!r}")
        if isinstance(default, Mapping):
            _check_complete(study[key], default, path, f"{prefix}{key}.")


def _check_user_files(study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError unless a study of the user's own files says what to read and how."""
    if study["task"] == "sequence":
        _check_sequence_files(study, path)
    else:
        _check_matrix_files(study, path)
    for key in FILE_KEYS:
        _check_file(study, key, path)
    for label, file in study.get("fasta", {}).items():
        if not Path(file).is_file():
            raise InputError(f"{path}: fasta.{label}: no such file: {file}")


def _check_matrix_files(study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError unless a study of the user's own matrix says what to read and how."""
    required = ["reader", "expression"]
    if study.get("reader") != "fpkm":
        required.append("orientation")
    required.append("samples" if "label_column" not in study else "label_column")
    missing = [key for key in required if key not in study]
    if missing:
        raise InputError(f"{path}: a study without `sources` also needs: {', '.join(missing)}")
    if "label_column" in study and study.get("orientation", "genes_by_samples") == "genes_by_samples":
        raise InputError(f"{path}: label_column: needs orientation samples_by_genes; give a `samples` table instead")
    if "label_column" in study and study.get("evaluation", {}).get("group") is not None:
        raise InputError(
            f"{path}: evaluation.group: groups stand in a `samples` table; give one instead of label_column"
        )
    if "label_column" in study and "samples" in study:
        raise InputError(
            f"{path}: label_column: labels come from the `samples` table or from label_column, not from both"
        )
    readers = ["fpkm", "table"]
    if study["reader"] not in readers:
        raise InputError(unknown_name(path, "reader", study["reader"], readers, "reader of your own files"))
    if "unfinished" in study and study["reader"] != "fpkm":
        raise InputError(f"{path}: unfinished: only with reader fpkm, this study's is {study['reader']}")
    foreign = [key for key in ("sequences", "fasta", "fasta_file") if key in study]
    if foreign:
        raise InputError(f"{path}: {foreign[0]}: only for task sequence, this study's is {study['task']}")


def _check_sequence_files(study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError unless a study of the user's own sequences says what to read and how."""
    if "reader" not in study:
        raise InputError(f"{path}: a study without `sources` also needs: reader")
    # Reader to the keys of which it needs one.
    readers = {"table": ("sequences",), "npy": ("sequences",), "fasta": ("fasta", "fasta_file")}
    if study["reader"] not in readers:
        raise InputError(unknown_name(path, "reader", study["reader"], readers, "reader of your own sequences"))
    keys = readers[study["reader"]]
    given = [key for key in (*DATA_KEYS, "label_column") if key in study]
    if len(given) != 1 or given[0] not in keys:
        raise InputError(
            f"{path}: reader {study['reader']}: needs {' or '.join(keys)} and no other file, found "
            f"{', '.join(given) or 'nothing'}"
        )
    if "fasta" in study and "label_pattern" in study:
        raise InputError(f"{path}: label_pattern: only with fasta_file; with fasta each file has its label")
    if "fasta_file" in study:
        if "label_pattern" not in study:
            raise InputError(f"{path}: fasta_file: labels come from the headers; give label_pattern")
        compile_pattern(study["label_pattern"], str(path))


def _check_file(study: Mapping[str, Any], key: str, path: Path) -> None:
    """Raise InputError for a key that names a file that is not there."""
    if key in study and not Path(study[key]).is_file():
        raise InputError(f"{path}: {key}: no such file: {study[key]}")


def _check_parameters(model: str, parameters: Mapping[str, Any], path: Path) -> None:
    """Raise InputError for a parameter that a model does not have, or a value of another kind than its default."""
    known = load_module(model).SEARCH_SPACE
    for parameter, value in parameters.items():
        key = f"model_params.{model}.{parameter}"
        if parameter not in known:
            raise InputError(unknown_name(path, f"model_params.{model}", parameter, known, "parameter"))
        values = value if isinstance(value, list) else [value]
        if not values:
            raise InputError(f"{path}: {key}: found an empty list, allowed: a value or a list of values to search")
        numeric = all(isinstance(default, int | float) for default in known[parameter])
        for item in values:
            if numeric and (isinstance(item, bool) or not isinstance(item, int | float)):
                raise InputError(f"{path}: {key}: found {_kind(item)}, allowed: a number")


def _check_network(model: str, study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError for settings of a network that do not fit together; the schema has checked each by itself."""
    candidates = parameter_grid(model, study.get("model_params", {}).get(model, {}))
    settings = candidates[0]
    lengths = {key: len(settings[key]) for key in load_module(model).LAYERS}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise InputError(f"{path}: model_params.{model}: found {found} values, expected one a layer")
    framed = [candidate["reads"] for candidate in candidates if candidate.get("reads", "dna") != "dna"]
    if settings.get("strands") == "both" and framed:
        raise InputError(
            f"{path}: model_params.{model}.strands: both needs reads dna; only one strand holds the reading frame of "
            f"{framed[0]}"
        )
    if settings.get("decay") and settings["plateau_patience"]:
        raise InputError(
            f"{path}: model_params.{model}.decay: found {settings['decay']}, but the learning rate is halved by "
            f"plateau_patience {settings['plateau_patience']} already; only preset published has no such halving"
        )
    epochs = {candidate["epochs"] for candidate in candidates}
    if len(epochs) > 1 and settings["patience"] and settings["patience"] < max(epochs):
        raise InputError(
            f"{path}: model_params.{model}.search.epochs: found {max(epochs)}, which a fit with patience "
            f"{settings['patience']} may not reach; raise patience to {max(epochs)}"
        )
    orders = [settings["gene_order"], *study["controls"]["gene_orders"]] if "gene_order" in settings else []
    if "position" in orders and "gene_positions" not in study:
        raise InputError(
            f"{path}: model_params.{model}.gene_order: position needs `gene_positions`, a table of feature, "
            "chromosome and start"
        )


def _check_transfer(study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError for a transfer that lacks a setting or names no network that reads time points."""
    missing = [key for key in ("model", "source", "targets", "sizes") if key not in study["transfer"]]
    if missing:
        raise InputError(f"{path}: transfer: required keys missing: {', '.join(missing)}")
    networks = [name for name in study["models"] if REGISTRY[name].deep and REGISTRY[name].task == study["task"]]
    model = study["transfer"]["model"]
    if model not in networks:
        raise InputError(unknown_name(path, "transfer.model", model, networks, "network of this study"))
    experiments = study["series"].get("experiments")
    for experiment in [study["transfer"]["source"], *study["transfer"]["targets"]]:
        if experiments and experiment not in experiments:
            raise InputError(
                unknown_name(path, "transfer", experiment, experiments, "experiment of series.experiments")
            )


def _check_gene_sets(study: Mapping[str, Any], explained: list[str], path: Path) -> None:
    """Raise InputError for a compared set that nothing ranks, or parts of classes that leave no other class; explained
    : models of the study with an explanation."""
    rankings = DATA_RANKINGS if study["task"] != "sequence" else ()
    allowed = [CONSENSUS, *(study["explain"].get("models") or explained), *rankings]
    sets = study["cluster"]["gene_sets"]
    for name in sets:
        if name not in allowed:
            raise InputError(unknown_name(path, "cluster.gene_sets", name, allowed, "explained model or ranking"))
    if study["cluster"].get("held_out_classes") == 1:
        raise InputError(
            f"{path}: cluster.held_out_classes: found 1, allowed: 0, or at least 2; other classes must choose the sets"
        )
    if study["cluster"]["set_rule"] == "half_repeats" and sets[0] == CONSENSUS:
        raise InputError(
            f"{path}: cluster.set_rule: half_repeats needs another set than consensus first in cluster.gene_sets; "
            "genes of the consensus are never repeated"
        )


def _check_offset_and_replicates(study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError for settings that another one of the study leaves without effect."""
    clean, evaluation = study["clean"], study["evaluation"]
    if clean.get("offset") and clean["transform"] != "log2":
        raise InputError(
            f"{path}: clean.offset: found {clean['offset']} with transform {clean['transform']}; only log2 takes one"
        )
    if evaluation["replicates"] == "shared" and evaluation["scheme"] != "leave_one_group_out":
        raise InputError(
            f"{path}: evaluation.replicates: found shared with scheme {evaluation['scheme']}; only leave_one_group_out "
            "tests one replicate of every class"
        )


def _check_names(study: Mapping[str, Any], path: Path) -> None:
    """Raise InputError for a name of a reader, simulator or model that does not exist or does not fit."""
    source = study["source"]
    if "reader" in source and source["reader"] not in READERS:
        raise InputError(unknown_name(path, "sources.public.reader", source["reader"], READERS, "reader"))
    if "simulator" in source and source["simulator"] not in SIMULATORS:
        raise InputError(
            unknown_name(path, "sources.simulated.simulator", source["simulator"], SIMULATORS, "simulator")
        )
    if "simulator" in source and SIMULATOR_TASKS[source["simulator"]] != study["task"]:
        raise InputError(
            f"{path}: sources.simulated.simulator: {source['simulator']} is for task "
            f"{SIMULATOR_TASKS[source['simulator']]}, this study's is {study['task']}"
        )
    # Models of any task read a matrix, the baseline aside, which reads nothing.
    any_task = ["majority"] if study["task"] == "sequence" else [name for name in REGISTRY if not REGISTRY[name].task]
    known = [name for name, entry in REGISTRY.items() if name in any_task or entry.task == study["task"]]
    for key, models in (
        ("models", study["models"]),
        ("model_params", study.get("model_params", {})),
        ("controls.model", [study["controls"]["model"]]),
    ):
        for model in models:
            if model not in known:
                raise InputError(unknown_name(path, key, model, known, f"model of task {study['task']}"))
    if REGISTRY[study["controls"]["model"]].deep:
        cheap = [name for name in known if not REGISTRY[name].deep]
        raise InputError(unknown_name(path, "controls.model", study["controls"]["model"], cheap, "cheap model"))
    for section, models in (
        ("stack.base", study.get("stack", {}).get("base", [])),
        ("explain.models", study.get("explain", {}).get("models", [])),
        ("controls.random_split", study["controls"]["random_split"]),
    ):
        for model in models:
            if model not in study["models"]:
                raise InputError(unknown_name(path, section, model, study["models"], "model of this study"))
    for model in dict.fromkeys([*study["models"], *study.get("model_params", {})]):
        if REGISTRY[model].deep:
            _check_network(model, study, path)
        else:
            _check_parameters(model, study.get("model_params", {}).get(model, {}), path)
    explained = [name for name in study["models"] if REGISTRY[name].explainer]
    if not explained:
        explainable = [name for name in known if REGISTRY[name].explainer]
        raise InputError(f"{path}: models: none of them can be explained; add one of {', '.join(explainable)}")
    for model in study.get("explain", {}).get("models", []):
        if model not in explained:
            raise InputError(unknown_name(path, "explain.models", model, explained, "model with an explanation"))
    _check_gene_sets(study, explained, path)
    if study["select"]["method"] != "none" and "k" not in study["select"]:
        raise InputError(f"{path}: select.k: needed with method {study['select']['method']}")
    for key, task in TASK_KEYS.items():
        if key in study and study["task"] != task:
            raise InputError(f"{path}: {key}: only for task {task}, this study's is {study['task']}")
    if study["task"] == "sequence" and study["select"]["method"] != "none":
        raise InputError(f"{path}: select.method: only none for task sequence; k-mers are counted in the models")
    if "transfer" in study:
        _check_transfer(study, path)
    _check_offset_and_replicates(study, path)
    check_repeats(study["evaluation"]["scheme"], study["evaluation"]["repeats"], str(path))
