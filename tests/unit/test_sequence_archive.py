"""A .npy with a pickled dict: every way in which NumPy writes it, and files that must execute nothing."""

import io
import os
import pickle

import numpy as np
import pytest

from genestrata.errors import InputError
from genestrata.readers.sequence_archive import read, read_archive

SEQUENCES, LABELS = ["ACGT", "acu", "GGNN"], [True, False, True]


def archive(payload, descr="|O", shape="()"):
    """A .npy of version 1.0 with this pickle behind its header."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + payload


def saved(value):
    """What numpy.save writes."""
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


@pytest.fixture
def read_content(tmp_path):
    """Write this content and read it."""

    def write_and_read(content, **settings):
        path = tmp_path / "d.npy"
        path.write_bytes(content)
        return read({"sequences": str(path)}, settings)

    return write_and_read


def message(read_content, content, **settings):
    """The one line that reading this content ends with, without the path."""
    with pytest.raises(InputError) as caught:
        read_content(content, **settings)
    text = str(caught.value)
    assert "\n" not in text
    return text.split("d.npy", 1)[1].removeprefix(": ")


VARIANTS = [
    {"genes": SEQUENCES, "resistant": LABELS},
    {"genes": SEQUENCES, "resistant": [1, 0, 1]},
    {"genes": np.array(SEQUENCES), "resistant": np.array(LABELS)},
    {"genes": np.array(SEQUENCES, dtype=object), "resistant": np.array([1, 0, 1])},
    {"genes": np.array(SEQUENCES, dtype=">U9"), "resistant": np.array([1, 0, 1], dtype=">i2")},
    {"genes": np.array(SEQUENCES, dtype="S4"), "resistant": np.array([1.0, 0.0, 1.0], dtype=np.float32)},
    {"genes": list(map(np.str_, SEQUENCES)), "resistant": list(map(np.bool_, LABELS))},
    {"genes": np.array(SEQUENCES)[:, None], "resistant": np.array(LABELS, dtype=object)},
    {"other": {"nested": [1.5, None, "x"]}, "genes": SEQUENCES, "resistant": [np.int64(1), np.uint8(0), True]},
]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, "save", "bare dict"])
@pytest.mark.parametrize("value", VARIANTS)
def test_the_same_dict_in_every_disguise(read_content, value, protocol):
    if protocol == "save":
        content = saved(value)
    elif protocol == "bare dict":
        content = archive(pickle.dumps(value, protocol=4))
    else:
        content = archive(pickle.dumps(np.array(value, dtype=object), protocol=protocol))
    table = read_content(content)
    assert table["sequence"].tolist() == ["ACGT", "ACT", "GGNN"]
    assert table["label"].tolist() == ["resistant", "susceptible", "resistant"]
    assert table["sample"].tolist() == ["resistant_1", "susceptible_1", "resistant_2"]
    assert table.attrs["letters"] == {"lower_case": 3, "uracil": 1, "gap": 0, "ambiguous": 2}


def test_names_of_older_numpy_are_read(read_content):
    content = pickle.dumps(np.array(VARIANTS[2], dtype=object), protocol=3)
    old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != content
    assert read_content(archive(old))["sequence"].tolist() == ["ACGT", "ACT", "GGNN"]


def test_text_of_python_2_is_read(read_content):
    content = b"(dS'genes'\n(lS'ACGT'\naS'GG'\nasS'resistant'\n(lI01\naI0\nas."
    assert read_content(archive(content))["label"].tolist() == ["resistant", "susceptible"]


def test_no_label(read_content):
    content = saved({"genes": SEQUENCES, "resistant": [True, None, False]})
    assert message(read_content, content).startswith("1 samples have no label in 'resistant', e.g. 'unlabelled_1'")
    assert read_content(content, unlabelled="predict")["label"].tolist() == ["resistant", "", "susceptible"]
    assert read_content(content, unlabelled="drop").attrs["unlabelled"] == ["unlabelled_1"]


# files that ask for more


class Call:
    """Pickles as a call of this function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(target):
    """Pickles that would create the file `target` or reach for something else."""
    write = Call(os.system, f"touch {target}")
    dictionary = {"genes": SEQUENCES, "resistant": LABELS}
    return {
        "in the dict": pickle.dumps({**dictionary, "extra": write}),
        "as a sequence": pickle.dumps({"genes": [write], "resistant": [True]}),
        "instead of the dict": pickle.dumps(write),
        "in an array": pickle.dumps(np.array({"genes": np.array([write]), "resistant": [1]}, dtype=object)),
        "protocol 0": pickle.dumps(write, protocol=0),
        "eval": pickle.dumps(Call(eval, f"open({str(target)!r}, 'w')")),
        "open": pickle.dumps(Call(open, str(target), "w")),
        "inst": f"(S'touch {target}'\nios\nsystem\n.".encode(),
        "obj": b"(cos\nsystem\n" + f"S'touch {target}'\n".encode() + b"o.",
        "numpy's own loader": pickle.dumps(Call(np.load, "x.npy")),
        "getattr": b"cbuiltins\ngetattr\n(cnumpy\nndarray\nS'tofile'\ntR.",
        "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__init__\x93.",
        "persistent": b"Pos.system\n.",
        "extension": b"\x80\x02\x82\x01.",
    }


@pytest.mark.parametrize("name", list(attacks("x")))
def test_a_file_that_asks_for_more_executes_nothing(read_content, tmp_path, name):
    target = tmp_path / "executed"
    text = message(read_content, archive(attacks(target)[name]))
    assert not target.exists()
    if name == "extension":
        assert text.startswith("truncated or damaged")
    else:
        assert text.startswith("refused: its pickle asks for ")
        assert text.endswith("; only dict, list, text, numbers and NumPy arrays are read")


def test_what_was_asked_for_is_named(read_content):
    text = message(read_content, archive(pickle.dumps(Call(os.system, "true"))))
    assert f"'{os.system.__module__}.system'" in text


def forged(code, state, shape, content):
    """A dict whose genes are an array with a forged dtype, written by hand in protocol 0."""
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    kind = f"cnumpy\ndtype\n(S'{code}'\nI00\nI01\ntR{state}b".encode()
    return b"(dS'genes'\n" + array + b"(I1\n" + shape + kind + b"I00\n" + content + b"tbsS'resistant'\n(lI01\nas."


@pytest.mark.parametrize(
    ("code", "order", "shape", "content"),
    [
        # The real dtype takes its flags from the file; without them eight bytes would be followed as a pointer.
        ("O8", "|", b"(I1\nt", b"S'AAAAAAAA'\n"),
        ("V8", "|", b"(I1\nt", b"S'AAAAAAAA'\n"),
        ("S4", "|", b"(I1000000\nt", b"S'ACGT'\n"),
        ("S4", "|", b"(I-1\nt", b"S'ACGT'\n"),
        ("S4", "|", b"(S'x'\nI9999999\nt", b"S'ACGT'\n"),
        ("S3", "|", b"(I1\nt", b"S'ACGT'\n"),
        ("S0", "|", b"(I1\nt", b"S'ACGT'\n"),
        ("U999999999", "<", b"(I1\nt", b"S'ACGT'\n"),
        ("S4", "x", b"(I1\nt", b"S'ACGT'\n"),
        ("U1", "<", b"(I1\nt", b"U\x04\xff\xff\xff\xff"),
        ("S4", "|", b"(I1\nt", b"(lS'ACGT'\na"),
        ("O8", "|", b"(I2\nt", b"(lS'ACGT'\na"),
    ],
)
def test_forged_arrays_are_refused_before_numpy_sees_them(read_content, code, order, shape, content):
    state = f"(I3\nS'{order}'\nNNNI-1\nI-1\nI0\nt"
    assert message(read_content, archive(forged(code, state, shape, content))).startswith("'genes' cannot be read: ")


def test_the_forged_array_without_a_fault_is_read(read_content):
    content = forged("S4", "(I3\nS'|'\nNNNI-1\nI-1\nI0\nt", b"(I1\nt", b"S'ACGT'\n")
    assert read_content(archive(content))["sequence"].tolist() == ["ACGT"]


def test_a_file_cannot_change_the_reader(read_content):
    # State set on a class instead of on an object of it.
    for name in (
        b"numpy.core.multiarray\n_reconstruct",
        b"numpy\ndtype",
        b"_codecs\nencode",
        b"numpy.core.multiarray\nscalar",
    ):
        content = b"c" + name + b"\n(N(dS'value'\nI1\nstb."
        assert message(read_content, archive(content)).startswith("truncated or damaged")
    assert len(read_content(saved(VARIANTS[6]))) == 3


def test_entry_number_that_would_fill_the_memory(read_content):
    content = b"\x80\x04}r\xff\xff\xff\xff."
    assert message(read_content, archive(content)).startswith("refused: its pickle numbers an entry beyond its end")


# damage and other mistakes


def test_truncated_wherever_it_is_cut(read_content):
    whole = saved(VARIANTS[2])
    for size in (1, 6, 9, 60, 127, 129, 140, len(whole) // 2, len(whole) - 1):
        text = message(read_content, whole[:size])
        assert text.startswith(("truncated or damaged (", "not a readable .npy file ("))


def test_changed_bytes_never_end_in_another_error(read_content):
    whole = saved(VARIANTS[3])
    random = np.random.default_rng(1)
    failures = 0
    for _ in range(300):
        content = bytearray(whole)
        content[random.integers(len(whole))] = random.integers(256)
        try:
            read_content(bytes(content))
        except InputError as error:
            failures += 1
            assert "\n" not in str(error)
    assert failures > 100


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not a readable .npy file ("),
        (pickle.dumps(VARIANTS[0]), "not a readable .npy file ("),
        (b"\x93NUMPY\x09\x00", "not a readable .npy file ("),
        (archive(b"junk"), "truncated or damaged ("),
        (saved(np.zeros(3)), "an array of float64, expected a pickled dict with 'genes' and 'resistant'"),
        (saved(np.array([{}, {}], dtype=object)), "holds an array, expected a dict"),
        (archive(pickle.dumps([1])), "holds a value of type list, expected a dict"),
        (saved({"gene": [], "resistant": []}), "the dict has no 'genes'; found: 'gene', 'resistant'"),
        (saved({}), "the dict has no 'genes'; found: nothing"),
        (saved({"genes": ["AC"], "resistant": []}), "'resistant' is empty"),
        (saved({"genes": "AC", "resistant": [1]}), "'genes' is a value of type str, expected a list or an array"),
        (saved({"genes": ["AC", "AG"], "resistant": [1]}), "2 sequences in 'genes', 1 labels in 'resistant'"),
        (saved({"genes": ["AC", 5], "resistant": [1, 0]}), "genes[1] is a value of type int, expected text"),
        (saved({"genes": [["AC"], 5], "resistant": [1, 0]}), "genes[0] is a value of type list, expected text"),
        (saved({"genes": ["AC", ""], "resistant": [1, 0]}), "genes[1] has no letters"),
        (saved({"genes": ["AC", "A?"], "resistant": [1, 0]}), "genes[1] has '?', which DNA in IUPAC code has not"),
        (saved({"genes": ["MKVEFILPQ"], "resistant": [1]}), "genes[0] looks like protein"),
        (saved({"genes": ["AC", "AC"], "resistant": [1, 2]}), "resistant[1] is 2, expected True, False, 1 or 0"),
        (saved({"genes": ["AC"], "resistant": ["yes"]}), "resistant[0] is 'yes', expected True, False, 1 or 0"),
        (saved({"genes": ["AC"], "resistant": [np.nan]}), "resistant[0] is nan, expected"),
        (saved({"genes": ["AC"], "resistant": [[1]]}), "resistant[0] is a value of type list, expected"),
    ],
)
def test_mistakes_are_explained(read_content, content, expected):
    assert message(read_content, content).startswith(expected)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.npy: no such file"):
        read_archive(str(tmp_path / "absent.npy"))
