"""Simulated resistance genes: translation decides their class, their causes are as stated, and they repeat by seed."""

import re

import numpy as np
import pandas as pd
import pytest

from genestrata.dna import AMINO_ACIDS, translate
from genestrata.errors import InputError
from genestrata.homology import group_sequences
from genestrata.simulators.resistance_genes import ACTIVE_SITE, best_accuracy, is_resistant, simulate

SETTINGS = {"classes": {"resistant": 300, "susceptible": 200}, "families": 5, "length": 80, "indels": 1.0}
SITE = re.compile("".join(f"[{residues}]" for residues in ACTIVE_SITE))
LETTERS = 3 * len(ACTIVE_SITE)


@pytest.fixture(scope="module")
def genes():
    return simulate(SETTINGS, 1)


def causes(truth):
    """Share of the susceptible by what they lost: the site, the frame, the end of the protein."""
    lost = truth[truth["class"] == "susceptible"]
    site, frame = ~lost["active_site_intact"], lost["frameshift"]
    return site.mean(), frame.mean(), (lost["premature_stop"] & ~frame).mean()


def test_tables_belong_together_and_classes_have_their_sizes(genes):
    table, samples, truth = genes
    assert list(table.columns) == ["sample", "sequence"]
    assert list(samples.columns) == ["sample", "label", "group"]
    assert table["sample"].tolist() == samples["sample"].tolist() == truth["sample"].tolist()
    assert table["sample"].is_unique
    assert truth["class"].value_counts().to_dict() == SETTINGS["classes"]
    assert set("".join(table["sequence"])) == set("ACGT")


def test_the_translated_protein_up_to_its_first_stop_decides(genes):
    table, _, truth = genes
    found = [SITE.search(translate(gene).split("*")[0]) is not None for gene in table["sequence"]]
    assert found == (truth["class"] == "resistant").tolist()


def test_truth_says_why(genes):
    table, _, truth = genes
    explained = truth["active_site_intact"] & ~truth["frameshift"] & ~truth["premature_stop"]
    assert explained.tolist() == (truth["class"] == "resistant").tolist()
    for gene, row in zip(table["sequence"], truth.itertuples(), strict=True):
        site = gene[row.site_start : row.site_start + LETTERS]
        assert row.active_site_intact == (SITE.fullmatch(translate(site)) is not None)
        assert row.frameshift == (row.site_start % 3 != 0)
        assert row.premature_stop == ("*" in translate(gene)[: row.site_start // 3 + len(ACTIVE_SITE)])


@pytest.mark.parametrize("stops", [0.0, 0.2, 0.5])
def test_susceptible_lose_the_site_the_frame_or_the_end_in_their_shares(stops):
    site, frame, end = causes(
        simulate(SETTINGS | {"classes": {"resistant": 2, "susceptible": 800}, "stops": stops}, 1)[2]
    )
    assert site == pytest.approx(0.5, abs=0.06)
    assert end == pytest.approx(stops, abs=0.05)
    assert site + frame + end == pytest.approx(1.0)


def test_without_indels_lengths_are_those_of_the_parents_and_no_frame_is_shifted():
    table, _, truth = simulate(SETTINGS | {"indels": 0.0, "stops": 0.0}, 1)
    assert (table["sequence"].str.len() == 240).all()
    site, frame, end = causes(truth)
    assert (site, frame, end) == (1.0, 0.0, 0.0)


def test_indels_and_stops_do_not_tell_the_class(genes):
    """The resistant have them too, where they do no harm."""
    table, _, truth = genes
    of_the_resistant = table.loc[truth["class"] == "resistant", "sequence"]
    assert (of_the_resistant.str.len() % 3 != 0).mean() > 0.15
    assert (of_the_resistant.str.len() == 240).mean() < 0.6
    at = truth.loc[truth["class"] == "resistant", ["family", "site_start"]]
    assert at.groupby("family")["site_start"].nunique().min() > 1
    quiet = simulate(SETTINGS | {"indels": 0.0, "stops": 0.3}, 1)
    early = quiet[0]["sequence"].map(lambda gene: "*" in translate(gene)[:-1])
    for _, share in early.groupby(quiet[2]["class"]):
        assert share.mean() == pytest.approx(0.3, abs=0.09)


def test_start_and_final_stop_stay_and_no_substitution_makes_a_stop():
    table, _, _ = simulate(SETTINGS | {"indels": 0.0, "stops": 0.0, "mutations": 60.0}, 1)
    for protein in table["sequence"].map(translate):
        assert protein[0] == "M"
        assert protein.index("*") == len(protein) - 1


def test_number_of_substitutions_follows_its_mean():
    for mean in (0.0, 4.0, 12.0):
        still = SETTINGS | {"families": 1, "indels": 0.0, "stops": 0.0, "mutations": mean}
        table, _, truth = simulate(still, 1)
        letters = np.array([list(gene) for gene in table["sequence"]])
        start = truth["site_start"][0]
        outside = np.delete(letters, np.arange(start, start + LETTERS), axis=1)
        parent = pd.DataFrame(outside).mode().iloc[0].to_numpy()
        # A few hit the same letter, or would make a stop and are dropped.
        assert (outside != parent).sum(axis=1).mean() == pytest.approx(mean, rel=0.12)


def test_codons_of_the_site_vary_and_all_tolerated_residues_occur(genes):
    table, _, truth = genes
    sites = [
        gene[start : start + LETTERS]
        for gene, start, intact in zip(table["sequence"], truth["site_start"], truth["active_site_intact"], strict=True)
        if intact
    ]
    assert len(set(sites)) > 0.95 * len(sites)
    for residues, column in zip(ACTIVE_SITE, zip(*map(translate, sites), strict=True), strict=True):
        assert set(column) == set(residues)


def test_lost_sites_differ_in_one_residue_at_any_place(genes):
    table, _, truth = genes
    places = []
    for gene, row in zip(table["sequence"], truth.itertuples(), strict=True):
        if not row.active_site_intact:
            site = translate(gene[row.site_start : row.site_start + LETTERS])
            wrong = [i for i, residue in enumerate(site) if residue not in ACTIVE_SITE[i]]
            assert len(wrong) == 1
            assert site[wrong[0]] in AMINO_ACIDS
            places += wrong
    assert set(places) == set(range(len(ACTIVE_SITE)))


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_labels_are_flipped_in_their_share_in_both_classes(noise):
    settings = SETTINGS | {"classes": {"resistant": 1500, "susceptible": 1500}, "label_noise": noise}
    _, samples, truth = simulate(settings, 3)
    right = samples["label"] == truth["class"]
    for _, share in right.groupby(truth["class"]):
        assert share.mean() == pytest.approx(best_accuracy(settings), abs=0.03)
    assert best_accuracy(settings) == 1 - noise


def test_groups_are_families_that_sequences_alone_tell_apart():
    # In shorter genes the site alone, where its codons agree, is a noticeable share.
    table, samples, truth = simulate(SETTINGS | {"length": 120}, 1)
    assert samples["group"].tolist() == truth["family"].tolist()
    assert samples["group"].nunique() == 5
    found = pd.DataFrame({"family": truth["family"], "group": group_sequences(table["sequence"].tolist(), 0.8)})
    assert len(found.drop_duplicates()) == found["group"].nunique() == 5


def test_one_family_is_no_group():
    _, samples, truth = simulate(SETTINGS | {"families": 1}, 1)
    assert set(samples["group"]) == {""}
    assert set(truth["family"]) == {"family_01"}


def test_neither_order_nor_name_tells_the_class(genes):
    classes = genes[2]["class"].tolist()
    assert genes[2]["sample"].tolist() == sorted(genes[2]["sample"])
    assert classes != sorted(classes)
    assert len(set(classes[:20])) == 2


def test_the_same_seed_repeats_and_another_does_not(genes):
    for first, second in zip(genes, simulate(SETTINGS, 1), strict=True):
        pd.testing.assert_frame_equal(first, second)
    assert not set(simulate(SETTINGS, 2)[0]["sequence"]) & set(genes[0]["sequence"])


def test_many_indels_leave_every_gene_readable():
    table, _, truth = simulate(SETTINGS | {"indels": 25.0, "length": 40, "stops": 0.3}, 1)
    assert truth["class"].value_counts().to_dict() == SETTINGS["classes"]
    assert table["sequence"].str.startswith("ATG").all()
    assert table["sequence"].str[-3:].isin(["TAA", "TAG", "TGA"]).all()


def test_other_classes_are_refused():
    with pytest.raises(InputError, match="classes of resistance_genes are resistant and susceptible, found yes, no"):
        simulate({"classes": {"yes": 3, "no": 3}}, 1)


def test_a_stop_before_the_site_costs_resistance_and_one_behind_it_does_not():
    site = "".join(residues[0] for residues in ACTIVE_SITE)
    assert is_resistant(f"MA{site}LL*AA")
    assert not is_resistant(f"MA*{site}LL*")
    assert not is_resistant(f"MA{site[:-1]}*{site[-1]}")
