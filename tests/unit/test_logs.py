"""What a job leaves in its log."""

import logging
import warnings

import pytest

from genestrata.errors import InputError
from genestrata.logs import job_log


@pytest.fixture(autouse=True)
def restore_logging():
    """Give pytest its log handlers back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # basicConfig(force=True) closes what it finds; hide the handlers of pytest from it.
    root.handlers[:] = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def test_records_and_warnings_go_to_the_log(tmp_path):
    path = tmp_path / "logs" / "job.log"
    with job_log(path):
        logging.getLogger("genestrata.cleaning").info("dropped %d genes of Müller", 3)
        warnings.warn("careful", stacklevel=1)
    text = path.read_text(encoding="utf-8")
    assert "INFO dropped 3 genes of Müller" in text
    assert "WARNING" in text
    assert "careful" in text


def test_input_error_ends_the_job_with_its_message_alone(tmp_path):
    with pytest.raises(SystemExit) as caught, job_log(tmp_path / "job.log"):
        raise InputError("e.csv: no column 'x'")
    assert caught.value.code == "error: e.csv: no column 'x'"
    text = (tmp_path / "job.log").read_text(encoding="utf-8")
    assert "ERROR e.csv: no column 'x'" in text
    assert "Traceback" not in text


def test_unexpected_error_is_logged_with_its_traceback_and_raised(tmp_path):
    with pytest.raises(ZeroDivisionError), job_log(tmp_path / "job.log"):
        print(1 / 0)
    text = (tmp_path / "job.log").read_text(encoding="utf-8")
    assert "stopped by an unexpected error" in text
    assert "Traceback" in text
    assert "ZeroDivisionError: division by zero" in text


def test_log_of_an_earlier_run_is_replaced(tmp_path):
    path = tmp_path / "job.log"
    path.write_text("earlier")
    with job_log(path):
        logging.getLogger("genestrata").info("now")
    assert "earlier" not in path.read_text()
