"""Sections of the report page that only time series have, made of small files."""

import base64
import json
import zlib

import pandas as pd
import pytest
from PIL import Image

from genestrata.files import write_json, write_table
from genestrata.report_parts import fewer_colours
from genestrata.series_report import FIGURES, LISTED, exploration_sections, series_sections

ODD = "<b>a & b"
ESCAPED = "&lt;b&gt;a &amp; b"


def write_figure(path, width=450):
    """A picture of this width in a colour of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, 8), tuple(zlib.crc32(path.name.encode()).to_bytes(4, "big")[:3])).save(path)


def embedded(path):
    return base64.b64encode(fewer_colours(path.read_bytes())).decode()


def sections(folder, extra=(), exported=(), cyclic=None):
    study = {"extra": list(extra), "exported": list(exported)}
    metrics = {"extra": {} if cyclic is None else {"cyclic_error": cyclic}}
    return {name: rest for name, *rest in series_sections(study, metrics, folder)}


def titles(plot):
    return {key: header["title"] for key, header in plot["headers"].items()}


def test_study_that_has_none_of_it_has_no_section(tmp_path):
    assert sections(tmp_path) == {}


# Exploration


@pytest.fixture
def explored(tmp_path):
    synchrony = {
        "experiment": ["alpha", ODD],
        "time_points": [18, 24],
        "period": [66.2, 110.0],
        "periodic_share": [0.25, 0.5],
        "amplitude_kept": [0.6, None],
    }
    write_table(pd.DataFrame(synchrony), tmp_path / "explore/synchrony.tsv")
    for name in FIGURES:
        write_figure(tmp_path / f"explore/figures/{name}.png")
    return {name: rest for name, *rest in exploration_sections(tmp_path)}


def test_synchrony_is_a_table_of_the_experiments(explored):
    title, text, plot = explored["synchrony"]
    assert title == "How well the cells stay in step"
    assert "(false discovery rate 5%)" in text
    assert plot["data"] == {
        "alpha": {"time_points": 18, "period": 66.2, "periodic_share": 0.25, "amplitude_kept": 0.6},
        ESCAPED: {"time_points": 24, "period": 110.0, "periodic_share": 0.5, "amplitude_kept": ""},
    }
    assert list(titles(plot).values()) == ["Time points", "Period (min)", "Periodic genes", "Amplitude kept"]


def test_every_figure_of_the_exploration_is_embedded_in_reading_order(explored, tmp_path):
    html = explored["exploration"][-1]["data"]
    places = []
    for name, text in FIGURES.items():
        assert f'alt="{text}" width="288"' in html
        places.append(html.index(embedded(tmp_path / f"explore/figures/{name}.png")))
    assert places == sorted(places) and len(places) == 9
    assert list(explored) == ["synchrony", "exploration"]


# Errors on the cycle, exports, transfer


def cyclic(value, of_errors, within):
    return {
        "mean_steps": {"value": value, "ci95": [value - 0.1, value + 0.1]},
        "mean_steps_of_errors": of_errors,
        "within_one_step": within,
    }


def test_errors_on_the_cycle_are_listed_by_their_mean_distance(tmp_path):
    errors = {"majority": cyclic(1.2, 1.6, 0.5), "cnn_bilstm": cyclic(0.2, 1.25, 0.96), "stack": cyclic(0.3, None, 1)}
    _, text, plot = sections(tmp_path, cyclic=errors)["cyclic"]
    assert "last one borders on the first" in text
    assert list(plot["data"]) == ["CNN-BiLSTM", "Stack", "Majority class"]
    assert plot["data"]["CNN-BiLSTM"] == {"mean_steps": "0.200 (0.100 to 0.300)", "of_errors": 1.25, "within": 0.96}
    assert plot["data"]["Stack"]["of_errors"] == ""
    assert list(titles(plot)) == ["mean_steps", "of_errors", "within"]


def test_exported_networks_have_a_table_and_their_embeddings(tmp_path):
    report = {"bytes": 47_300, "weights": 15_333, "same_call": 0.9987, "largest_difference": 0.004, "rows": 800}
    write_json(report | {"temperature": 1.3}, tmp_path / "model/export/cnn_bilstm.json")
    write_figure(tmp_path / "explain/cnn_bilstm/embeddings.png", width=300)
    found = sections(tmp_path, exported=["cnn_bilstm"])
    assert list(found) == ["export", "embeddings"]
    title, text, plot = found["export"]
    assert title == "Networks for use elsewhere" and "<code>model/export/</code>" in text
    row = {"kilobytes": 47.3, "weights": 15_333, "same_call": 0.9987, "difference": 0.004, "rows": 800}
    assert plot["data"] == {"CNN-BiLSTM": row}
    assert set(titles(plot)) == set(row)
    html = found["embeddings"][-1]["data"]
    assert embedded(tmp_path / "explain/cnn_bilstm/embeddings.png") in html
    assert 'alt="Last hidden layer of CNN-BiLSTM" width="192"' in html


def test_learning_curve_of_a_transfer_is_shown(tmp_path):
    write_figure(tmp_path / "transfer/learning_curve.png")
    found = sections(tmp_path, extra=["explore/synchrony.tsv", "transfer/learning_curve.png"])
    assert list(found) == ["transfer"]
    title, text, plot = found["transfer"]
    assert title == "Transfer between experiments" and "95 % intervals" in text
    assert embedded(tmp_path / "transfer/learning_curve.png") in plot["data"]


# Hypotheses


def write_hypotheses(folder, calls=(), odd=(), **more):
    """Files of the predictions; calls : (sample, predicted, probability); odd : (sample, label, p_label)."""
    table = pd.DataFrame(calls, columns=["sample", "predicted", "probability"])
    table = table.assign(runner_up="S", p_S=0.1, periodic_share=0.5, periodic_p=0.01, periodic_fdr=0.02)
    write_table(table, folder / "predict/unlabelled.tsv")
    other = pd.DataFrame(odd, columns=["sample", "label", "p_label"])
    other = other.assign(predicted="M", probability=0.7, calls_against=0.75, periodic_fdr=0.3)
    write_table(other, folder / "predict/disagreements.tsv")
    summary = {"model": "cnn_bilstm", "to_predict": len(calls), "disagreements": len(odd)}
    write_json(summary | more, folder / "predict/summary.json")
    return sections(folder, extra=["predict/summary.json"])


def test_calls_of_unlabelled_genes_are_listed_with_their_periodicity(tmp_path):
    calls = [("YAL001C", "G1", 0.9), ("0042", ODD, 0.8)]
    title, text, plot = write_hypotheses(tmp_path, calls, periodic=1)["hypotheses"]
    assert title == "Hypotheses: genes without a label"
    assert text.startswith("2 genes called by CNN-BiLSTM, the headline model;")
    assert "1 are (FDR 5%)." in text and "planted" not in text
    assert plot["data"] == {
        "YAL001C": {"predicted": "G1", "probability": 0.9, "runner_up": "S", "periodic_fdr": 0.02},
        "0042": {"predicted": ESCAPED, "probability": 0.8, "runner_up": "S", "periodic_fdr": 0.02},
    }
    assert set(titles(plot)) == {"predicted", "probability", "runner_up", "periodic_fdr"}


def test_first_calls_of_each_class_share_the_list(tmp_path):
    calls = [(f"{label}{number}", label, 0.9) for label in ("M", "G1", "S") for number in range(30)]
    calls += [("G2_only", "G2", 0.5)]
    shown = write_hypotheses(tmp_path, calls)["hypotheses"][-1]["data"]
    expected = [f"{label}{number}" for label in ("M", "G1", "S") for number in range(LISTED // 4)]
    assert list(shown) == [*expected, "G2_only"]


def test_every_class_is_listed_where_there_are_many(tmp_path):
    calls = [(f"g{number}", f"class{number}", 0.9) for number in range(LISTED + 10)]
    assert len(write_hypotheses(tmp_path, calls)["hypotheses"][-1]["data"]) == LISTED + 10


def test_study_without_time_points_has_no_periodicity_in_its_lists(tmp_path):
    write_hypotheses(tmp_path, [("s1", "M", 0.9)], [("s2", "S", 0.1)])
    for name in ("unlabelled", "disagreements"):
        path = tmp_path / f"predict/{name}.tsv"
        table = pd.read_csv(path, sep="\t")
        write_table(table.drop(columns=[column for column in table if column.startswith("periodic")]), path)
    found = sections(tmp_path, extra=["predict/summary.json"])
    for name, sample in (("hypotheses", "s1"), ("disagreements", "s2")):
        plot = found[name][-1]
        assert list(plot["data"]) == [sample] and set(titles(plot)) == set(plot["data"][sample])
        assert "periodic_fdr" not in titles(plot)


def test_names_of_genes_that_look_like_numbers_keep_their_spelling(tmp_path):
    found = write_hypotheses(tmp_path, [("0042", "M", 0.9)], [("007", "S", 0.1)])
    assert [list(found[name][-1]["data"]) for name in ("hypotheses", "disagreements")] == [["0042"], ["007"]]


def test_planted_classes_of_a_simulation_are_counted(tmp_path):
    found = write_hypotheses(tmp_path, [("g1", "M", 0.9)], truth={"planted": 40, "right": 31})
    assert found["hypotheses"][1].endswith(" Of 40 planted periodic ones 31 got their class.")


def test_study_without_unlabelled_genes_has_no_hypotheses(tmp_path):
    assert list(write_hypotheses(tmp_path, odd=[("g1", "S", 0.1)])) == ["disagreements"]


def test_disagreements_are_listed_the_least_likely_label_first(tmp_path):
    odd = [("g1", "S", 0.3), (ODD, "G1", 0.1), ("007", ODD, 0.2)]
    title, text, plot = write_hypotheses(tmp_path, odd=odd)["disagreements"]
    assert title == "Labelled genes called otherwise"
    assert text.startswith("3 genes whose label") and "the 3 least likely labels" in text
    assert text.endswith("probability of these labels is 0.200.")
    assert list(plot["data"]) == [ESCAPED, "007", "g1"]
    row = {"predicted": "M", "probability": 0.7, "calls_against": 0.75, "periodic_fdr": 0.3}
    assert plot["data"]["007"] == {"label": ESCAPED, "p_label": 0.2} | row
    assert ODD not in json.dumps(plot["data"], ensure_ascii=False)


def test_long_list_of_disagreements_is_cut_and_says_so(tmp_path):
    odd = [(f"g{number}", "S", number / 1000) for number in reversed(range(LISTED + 20))]
    _, text, plot = write_hypotheses(tmp_path, odd=odd)["disagreements"]
    assert list(plot["data"]) == [f"g{number}" for number in range(LISTED)]
    assert text.startswith(f"{LISTED + 20} genes") and f"the {LISTED} least likely labels" in text


def test_no_disagreement_is_said_in_words(tmp_path):
    _, _, plot = write_hypotheses(tmp_path, [("g1", "M", 0.9)])["disagreements"]
    assert plot == {"plot_type": "html", "data": "<p>None.</p>"}
