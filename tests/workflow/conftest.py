"""Copies of the workflow that tests may edit."""

import pytest
from running import copy_workflow, write_small_study


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy of the workflow in which a user's own small study has run through; tests undo what they change."""
    workflow = copy_workflow(tmp_path_factory.mktemp("rerun") / "workflow")
    write_small_study(workflow.folder / "own")
    (workflow.folder / "config.yaml").write_text(
        "studies: [own/small.yaml]\ndata: simulated\nmirror: ''\nseed: 1\n", encoding="utf-8"
    )
    done = workflow.run()
    assert done.returncode == 0, done.stdout
    return workflow


@pytest.fixture
def fresh(tmp_path):
    """A copy of the workflow in which nothing has run."""
    return copy_workflow(tmp_path / "workflow")
