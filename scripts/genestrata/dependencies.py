"""Which files of the package a module needs, so that a rule can declare them as inputs."""

import ast
import functools
from pathlib import Path

PACKAGE = Path(__file__).parent


@functools.cache
def _imported_modules(module: str) -> frozenset[str]:
    """Names of the package's modules that one of its modules imports, anywhere in it."""
    return _imports(_module_file(module))


def _imports(file: Path) -> frozenset[str]:
    """Names of the package's modules that a Python file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE.name]
        else:
            continue
        # `from genestrata.files import write_json` names a function, `from genestrata import files` a module.
        found |= {name.partition(".")[2] for name in names if _module_file(name.partition(".")[2]).is_file()}
    return frozenset(found - {""})


def _module_file(module: str) -> Path:
    """File of a module named relative to the package, with dots."""
    base = PACKAGE.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def input_path(file: Path) -> str:
    """A file of the workflow as an input: relative below the working directory, so that the folder can be moved."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)


def source_files(*modules: str) -> list[str]:
    """Files of these modules (`"models.xgboost"`) and of every module of the package that they import, sorted.

    Snakemake watches only the entry script of a rule; with these files as inputs an edit re-runs what uses it. Paths
    below the working directory are relative, so that a workflow folder can be moved with its results. Raises
    FileNotFoundError for a module that does not exist.
    """
    pending, seen = list(modules), set()
    while pending:
        module = pending.pop()
        if module not in seen:
            seen.add(module)
            pending.extend(_imported_modules(module))
    return [input_path(_module_file(module)) for module in sorted(seen)]


def script_files(script: str, *modules: str) -> list[str]:
    """`source_files` of all that an entry script (`"train_model"`) imports and of the modules that it loads by name."""
    return source_files(*_imports(PACKAGE.parent / f"{script}.py"), *modules)
