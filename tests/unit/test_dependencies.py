"""The files that a rule declares, and that jobs import heavy libraries only where they use them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from genestrata import dependencies
from genestrata.dependencies import source_files

HEAVY = ("tensorflow", "keras", "torch", "shap", "xgboost", "lightgbm", "multiqc", "matplotlib", "umap")


def names(*modules):
    """Files of the closure relative to the package."""
    return [Path(file).resolve().relative_to(dependencies.PACKAGE).as_posix() for file in source_files(*modules)]


def test_module_without_imports_of_the_package_is_its_own_closure():
    assert names("errors") == ["errors.py"]


def test_closure_follows_imports_of_imports():
    # tables -> files, which imports nothing of the package; cleaning -> errors.
    assert names("tables") == ["files.py", "tables.py"]
    assert names("readers.golub") == ["errors.py", "readers/golub.py", "readers/tables.py"]
    assert names("download") == ["download.py", "errors.py", "files.py"]


def test_closure_of_several_modules_is_their_union_without_repeats():
    both = names("tables", "readers.golub")
    assert both == sorted({*names("tables"), *names("readers.golub")})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty package in place of the real one."""
    folder = tmp_path / "toy"
    folder.mkdir()
    monkeypatch.setattr(dependencies, "PACKAGE", folder)
    dependencies._imported_modules.cache_clear()
    yield folder
    dependencies._imported_modules.cache_clear()


def test_every_form_of_import_is_followed(package):
    (package / "sub").mkdir()
    files = {
        "entry.py": "from toy import a\nimport toy.b\nfrom toy.c import thing\nfrom toy.sub import d\nimport json\n"
        "def late():\n    from toy.e import thing\n",
        "a.py": "from toy.f import x\n",
        "b.py": "from toy import entry\n",
        "c.py": "thing = 1\n",
        "sub/__init__.py": "",
        "sub/d.py": "",
        "e.py": "",
        "f.py": "",
        "unused.py": "",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    assert names("entry") == ["a.py", "b.py", "c.py", "e.py", "entry.py", "f.py", "sub/__init__.py", "sub/d.py"]


def test_unknown_module_is_an_error(package):
    with pytest.raises(FileNotFoundError, match=r"nothing\.py"):
        source_files("nothing")


def test_paths_are_relative_inside_the_working_directory(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(repository)
    assert source_files("errors") == ["scripts/genestrata/errors.py"]
    monkeypatch.chdir(tmp_path)
    assert source_files("errors") == [str(repository / "scripts" / "genestrata" / "errors.py")]


def loaded_by(code, repository):
    """Names of the modules in sys.modules after `code` ran in a fresh interpreter."""
    code = f"{code}\nimport sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=repository / "scripts", capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_training_imports_no_heavy_library(repository):
    # Subclasses of Keras need it at hand; the module itself is imported where a network is trained.
    files = [name for name in names("training") if name not in ("models/network_training.py", "models/recurrence.py")]
    modules = [name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in files]
    loaded = loaded_by("\n".join(f"import genestrata.{module}" for module in modules), repository)
    assert {f"genestrata.{module}" for module in modules} <= loaded
    assert "genestrata.models.network_training" not in loaded
    assert loaded.isdisjoint(HEAVY)


def test_settings_of_a_model_are_read_without_a_heavy_library(repository):
    """The configuration looks at the parameters of every model before any job."""
    loaded = loaded_by(
        "from genestrata.models import load_module\n"
        "from genestrata.models.registry import REGISTRY\n"
        "for name in REGISTRY:\n    load_module(name)",
        repository,
    )
    assert "genestrata.models.lstm" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_training_of_networks_is_part_of_what_a_network_needs():
    for model in ("dense", "cnn", "lstm"):
        assert {"models/networks.py", "models/network_training.py", "models/backend.py"} <= set(
            names(f"models.{model}")
        )


def test_reading_the_configuration_imports_no_numerical_library(repository):
    """The Snakefile is parsed by every job."""
    loaded = loaded_by(
        "import genestrata.config, genestrata.dependencies, genestrata.errors, genestrata.models.registry", repository
    )
    assert loaded.isdisjoint({"numpy", "pandas", "sklearn", *HEAVY})


def test_no_module_of_the_package_imports_snakemake(repository):
    for path in sorted((repository / "scripts" / "genestrata").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in imported if name.split(".")[0] == "snakemake"], path
