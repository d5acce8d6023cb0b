"""Fetching files from a local server and folders: order of places, checksums, failures that leave nothing."""

import hashlib
import http.server
import socket
import threading

import pooch.core
import pytest

from genestrata import download
from genestrata.download import fetch
from genestrata.errors import InputError

CONTENT = b"patient,cancer\n1,ALL\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def fast_retries(monkeypatch):
    """One further attempt, without the wait before it."""
    monkeypatch.setattr(download, "RETRIES", 1)
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)


@pytest.fixture
def server():
    """A web server: `pages` maps a path to a body and a claimed length (or a list of them, taken in turn), `seen` lists
    the paths that were asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append(self.path)
            pages = self.server.pages.get(self.path, [])
            if not pages:
                self.send_error(404)
                return
            body, length = pages.pop(0) if len(pages) > 1 else pages[0]
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.pages, running.seen = {}, []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def closed():
    """URL of a port of this machine where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/actual.csv"


@pytest.fixture
def mirror(tmp_path):
    """A folder with the file of the study `golub`."""
    folder = tmp_path / "mirror"
    (folder / "golub").mkdir(parents=True)
    (folder / "golub" / "actual.csv").write_bytes(CONTENT)
    return folder


@pytest.fixture
def output(tmp_path):
    return tmp_path / "downloads" / "golub" / "actual.csv"


def left(output):
    """Everything in the folder of the output, hidden files too."""
    return sorted(path.name for path in output.parent.iterdir()) if output.parent.exists() else []


def test_download_checks_writes_and_shares_the_file(server, output, tmp_path):
    server.pages["/actual.csv"] = [(CONTENT, len(CONTENT))]
    fetch("golub", f"{server.url}/actual.csv", SHA256, "", output)
    assert output.read_bytes() == CONTENT
    assert left(output) == ["actual.csv"]
    (tmp_path / "plain").touch()
    assert output.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("ending", ["", "/"])
def test_mirror_folder_comes_before_the_url(server, mirror, output, ending):
    server.pages["/actual.csv"] = [(CONTENT, len(CONTENT))]
    fetch("golub", f"{server.url}/actual.csv", SHA256, f"{mirror}{ending}", output)
    assert output.read_bytes() == CONTENT
    assert server.seen == []


def test_mirror_url_comes_before_the_url(server, output, closed):
    server.pages["/mirror/golub/actual.csv"] = [(CONTENT, len(CONTENT))]
    fetch("golub", closed, SHA256, f"{server.url}/mirror/", output)
    assert output.read_bytes() == CONTENT


def test_url_is_used_where_the_mirror_lacks_the_file(server, mirror, output):
    (mirror / "golub" / "actual.csv").unlink()
    server.pages["/actual.csv"] = [(CONTENT, len(CONTENT))]
    fetch("golub", f"{server.url}/actual.csv", SHA256, str(mirror), output)
    assert output.read_bytes() == CONTENT
    assert server.seen == ["/actual.csv"]


def test_wrong_checksum_in_the_mirror_stops_before_the_url(server, mirror, output):
    (mirror / "golub" / "actual.csv").write_bytes(b"other")
    server.pages["/actual.csv"] = [(CONTENT, len(CONTENT))]
    with pytest.raises(InputError) as caught:
        fetch("golub", f"{server.url}/actual.csv", SHA256, str(mirror), output)
    message = str(caught.value)
    assert message.startswith(f"actual.csv: wrong checksum of the file at {mirror}/golub/actual.csv")
    assert SHA256 in message
    assert hashlib.sha256(b"other").hexdigest() in message
    assert (server.seen, left(output)) == ([], [])


def test_wrong_checksum_of_a_download_leaves_nothing(server, output):
    server.pages["/actual.csv"] = [(b"other", 5)]
    with pytest.raises(InputError) as caught:
        fetch("golub", f"{server.url}/actual.csv", SHA256, "", output)
    assert f"wrong checksum of the file at {server.url}/actual.csv" in str(caught.value)
    assert hashlib.sha256(b"other").hexdigest() in str(caught.value)
    assert left(output) == []


def test_interrupted_download_is_tried_again(server, output):
    server.pages["/actual.csv"] = [(CONTENT[:5], len(CONTENT)), (CONTENT, len(CONTENT))]
    fetch("golub", f"{server.url}/actual.csv", SHA256, "", output)
    assert output.read_bytes() == CONTENT
    assert server.seen == ["/actual.csv"] * 2


def test_download_that_always_breaks_off_leaves_nothing(server, output):
    server.pages["/actual.csv"] = [(CONTENT[:5], len(CONTENT))]
    with pytest.raises(InputError, match="could not be fetched from"):
        fetch("golub", f"{server.url}/actual.csv", SHA256, "", output)
    assert left(output) == []


def test_no_network_names_every_place_and_the_way_out(tmp_path, output, closed):
    with pytest.raises(InputError) as caught:
        fetch("golub", closed, SHA256, str(tmp_path / "absent"), output)
    assert str(caught.value) == (
        f"actual.csv: could not be fetched from {tmp_path}/absent/golub/actual.csv (No such file or directory) "
        f"nor from {closed} (ConnectionError); check the network, or give a folder that holds golub/actual.csv: "
        "--config data=public mirror=PATH"
    )
    assert left(output) == []


def test_status_of_the_server_is_named(server, output):
    with pytest.raises(InputError, match=r"gone.csv \(HTTP status 404\)"):
        fetch("golub", f"{server.url}/gone.csv", SHA256, "", output)


def test_table_without_an_address_comes_from_the_mirror(mirror, output):
    fetch("golub", None, SHA256, str(mirror), output)
    assert output.read_bytes() == CONTENT


def test_mirror_that_lacks_a_table_without_an_address_is_told_how_it_is_built(tmp_path, output):
    with pytest.raises(InputError) as caught:
        fetch("golub", None, SHA256, str(tmp_path / "absent"), output)
    assert str(caught.value) == (
        f"actual.csv: could not be fetched from {tmp_path}/absent/golub/actual.csv (No such file or directory); give a "
        "mirror that holds golub/actual.csv, or none (mirror=''): it is then built from the published files of each "
        "sample"
    )
    assert left(output) == []
