"""Runs of the workflow on published data taken from the mirror."""

import pytest
from running import ROOT, Workflow


@pytest.fixture(scope="module")
def run_public(data_folder, tmp_path_factory):
    """A function that runs one study, given by name or by the text of a study file, and returns its results."""

    def run(data_set, name, study=None):
        if not (data_folder / data_set).is_dir():
            pytest.skip(f"no data set at {data_folder / data_set}")
        folder = tmp_path_factory.mktemp(name)
        if study is not None:
            (folder / f"{name}.yaml").write_text(study, encoding="utf-8")
        entry = name if study is None else f"./{name}.yaml"
        options = ("data=public", f"mirror={data_folder.resolve()}", f"studies=[{entry}]")
        done = Workflow(ROOT).run("--config", *options, directory=folder)
        assert done.returncode == 0, done.stdout
        return folder / "results" / name

    return run
