"""Merging the cufflinks tables of several samples, on tables of a few genes."""

import gzip
import re

import pytest
from merge_tracking import main

from genestrata.cufflinks import merge_tracking, read_accessions, read_tracking
from genestrata.errors import InputError

HEADER = "tracking_id\tgene_id\tlocus\tFPKM\tFPKM_status"
# The genes of the two samples stand in different orders; g2 has two loci that overlap.
FIRST = [("g2", "1:5-9", "1.25", "OK"), ("g1", "1:1-3", "0", "OK"), ("g2", "1:7-9", "2", "FAIL")]
SECOND = [("g1", "1:1-3", "123456", "OK"), ("g2", "1:5-9", "0", "HIDATA"), ("g2", "1:7-9", "0.00012345", "OK")]
ACCESSIONS = (
    "Run\tBioSample\tSample name\tExperiment\tsource name\ttissue\tsample\treplicate\n"
    "SRR2\tB2\tG2\tX2\tsilks\tsilks\tSilk\tSilk_2\n"
    "SRR1\tB1\tG1\tX1\tear\t2 mm of ear\tEar Primordium 2_4 mm\tEar Primordium 2_4 mm_11\n"
)


def tracking(rows, header=HEADER):
    return "\n".join([header, *("\t".join(("t", *row)) for row in rows)]) + "\n"


@pytest.fixture
def write(tmp_path):
    """Write files by name and return their paths."""

    def write_files(**changes):
        files = {
            "map_SRA_accessions.txt": ACCESSIONS,
            "genes.fpkm_tracking.SRR1": tracking(FIRST),
            "genes.fpkm_tracking.SRR2": tracking(SECOND),
        }
        files |= changes
        for name, text in files.items():
            if text is not None:
                (tmp_path / name).write_text(text, encoding="utf-8")
        return [str(tmp_path / name) for name, text in files.items() if text is not None]

    return write_files


def test_samples_have_their_tissue_group_and_the_replicate_behind_the_last_underscore(write):
    samples = read_accessions(write()[0])
    assert list(samples) == [
        "sample_id",
        "tissue",
        "replicate",
        "tissue_group",
        "sra_tissue",
        "biosample",
        "gsm",
        "experiment",
    ]
    assert samples.to_numpy().tolist() == [
        ["SRR2", "Silk", "2", "silk", "silks", "B2", "G2", "X2"],
        ["SRR1", "Ear Primordium 2_4 mm", "11", "ear_primordium", "2 mm of ear", "B1", "G1", "X1"],
    ]


def test_genes_are_joined_by_id_and_two_loci_of_one_are_added(write):
    values, samples, unfinished = merge_tracking(write())
    assert values.columns.tolist() == samples["sample_id"].tolist() == ["SRR2", "SRR1"]
    assert values.loc["g1"].tolist() == [123456, 0]
    assert values.loc["g2"].tolist() == [0.00012345, 3.25]
    assert values.index.tolist() == ["g1", "g2"]
    assert unfinished.to_numpy().tolist() == [["g2", "SRR1", "FAIL", "1:7-9", 2], ["g2", "SRR2", "HIDATA", "1:5-9", 0]]
    assert list(unfinished) == ["gene_id", "sample_id", "fpkm_status", "locus", "fpkm"]


def test_written_tables_hold_four_digits_and_repeat_byte_for_byte(write, tmp_path):
    contents = []
    for number in range(2):
        outputs = [tmp_path / f"out{number}" / name for name in ("fpkm.tsv.gz", "samples.tsv", "not_ok.tsv")]
        main(write(), *outputs)
        contents.append([path.read_bytes() for path in outputs])
    assert contents[0] == contents[1]
    text = gzip.decompress(contents[0][0]).decode()
    assert text == "gene_id\tSRR2\tSRR1\ng1\t1.235e+05\t0\ng2\t0.0001234\t3.25\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"genes.fpkm_tracking.SRR2": tracking([row[:3] for row in SECOND], HEADER.replace("\tFPKM_status", ""))},
            "SRR2: no column 'FPKM_status'; found: tracking_id, gene_id, locus, FPKM",
        ),
        ({"genes.fpkm_tracking.SRR2": "a\tb\n1\t2\n"}, "SRR2: no column 'gene_id'; found: a, b"),
        (
            {"genes.fpkm_tracking.SRR1": tracking(FIRST[:1])},
            "gene 'g1' stands in only one of this file and ",
        ),
        (
            {"genes.fpkm_tracking.SRR1": tracking([*FIRST, ("g3", "1:1-2", "1", "OK")])},
            "gene 'g3' stands in only one of this file and ",
        ),
        ({"genes.fpkm_tracking.SRR1": tracking([("g1", "l", "-1", "OK")])}, "gene 'g1': found FPKM -1, expected"),
        ({"genes.fpkm_tracking.SRR1": tracking([("g1", "l", "NA", "OK")])}, "gene 'g1': found FPKM nan, expected"),
        ({"genes.fpkm_tracking.SRR1": tracking([("g1", "l", "x", "OK")])}, "row 'g1', column 'FPKM': found 'x'"),
        ({"genes.fpkm_tracking.SRR1": None}, "sample 'SRR1' has no file genes.fpkm_tracking.SRR1"),
        ({"genes.fpkm_tracking.SRR3": tracking(FIRST)}, "SRR3: sample 'SRR3' is not listed in map_SRA_accessions.txt"),
        ({"map_SRA_accessions.txt": ACCESSIONS.replace("SRR2", "SRR1")}, "sample 'SRR1' has more than one row"),
        ({"map_SRA_accessions.txt": ACCESSIONS.replace("Silk\t", "Moss\t")}, "tissue 'Moss' holds none of the words"),
    ],
)
def test_mistake_in_the_files_is_named_in_one_line(write, changes, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        merge_tracking(write(**changes))
    assert "\n" not in str(caught.value)


def test_columns_may_stand_in_any_order(tmp_path):
    path = tmp_path / "genes.fpkm_tracking.SRR1"
    path.write_text("FPKM_status\tFPKM\tgene_id\tlocus\nOK\t4\tg1\t1:1-3\n", encoding="utf-8")
    assert read_tracking(path).to_dict("records") == [
        {"gene_id": "g1", "fpkm_status": "OK", "locus": "1:1-3", "fpkm": 4.0}
    ]
