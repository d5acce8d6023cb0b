"""Pieces of the report page; the page as a whole is tested on finished runs in tests/workflow."""

import base64
import json

import pandas as pd
import pytest

from genestrata import reporting
from genestrata.errors import InputError
from genestrata.figures import plot_bars


def test_numbers_have_three_decimals_and_a_dash_for_none():
    assert reporting.number(0.12345) == "0.123"
    assert reporting.number(None) == "–"
    assert reporting.with_interval({"value": 0.9, "ci95": [0.8, None]}) == "0.900 (0.800 to –)"


def test_text_of_a_table_is_escaped_and_a_missing_cell_is_empty():
    plot = reporting.table_section(
        {"a/b<c": {"x": "<script>", "y": None}, "c": {"x": "fine", "y": float("nan")}},
        {"x": {"title": "X"}, "y": {"title": "Y"}},
        "Name",
        "X",
        descending=True,
    )
    assert plot["data"] == {"a&#47;b&lt;c": {"x": "&lt;script&gt;", "y": ""}, "c": {"x": "fine", "y": ""}}
    assert plot["pconfig"]["defaultsort"] == [{"column": "X", "direction": "desc"}]


def test_figure_is_embedded_at_the_size_it_was_drawn_for(tmp_path):
    plot_bars(pd.Series([1.0, 2.0], index=["g0", "g1"]), "x", "t", tmp_path / "bars")
    html = reporting.image_section([(tmp_path / "bars.png", 'two "bars"')])["data"]
    assert base64.b64encode((tmp_path / "bars.png").read_bytes()).decode() in html
    assert 'alt="two &quot;bars&quot;"' in html
    width = int(html.partition('width="')[2].partition('"')[0])
    assert 480 < width < 600


def test_cleaning_table_counts_what_went_in_order():
    report = {
        "before": {"samples": 10, "features": 100},
        "steps": [{"step": "drop_features AFFX*", "dropped": 5, "of": "features", "examples": ["AFFX-1"]}],
        "after": {"samples": 10, "features": 95},
    }
    rows = reporting._cleaning(report)["data"]
    assert [row["order"] for row in rows.values()] == [1, 2, 3]
    assert rows["drop_features AFFX*"]["features"] == -5
    assert rows["drop_features AFFX*"]["why"] == "e.g. AFFX-1"
    assert rows["kept"]["features"] == 95


def test_failing_multiqc_is_reported_with_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(reporting.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="MultiQC could not write the report"):
        reporting._run_multiqc(tmp_path, [], tmp_path)


def test_settings_of_the_user_do_not_reach_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIQC_TITLE", "not ours")
    section = {"plot_type": "html", "data": "<p>kept</p>", "id": "one", "section_name": "One", "description": ""}
    content = tmp_path / "content"
    content.mkdir()
    (content / "one_mqc.json").write_text(json.dumps(section))
    (tmp_path / "run.json").write_text(json.dumps({"title": "Ours", "output_fn_name": "report.html"}))
    root = reporting.Path(reporting.__file__).parents[2]
    reporting._run_multiqc(content, [root / "resources/report/multiqc_config.yaml", tmp_path / "run.json"], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<p>kept</p>" in page
    assert "not ours" not in page
    assert "Ours" in page
