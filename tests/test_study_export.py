"""`python -m study.export`: files that answer as the study does, or are not left there."""

import importlib
import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import confirmed_study
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from study import export
from study.data import datasets
from study.model import as_file, card, conformal, formats, whole
from study.model.confirmed import answers, chosen, opened
from study.training import augment

# What somebody runs who has onnxruntime and NumPy, and nothing of this project.
STRANGER = """
import json, sys, numpy, onnxruntime
assert not {"torch", "study"} & set(sys.modules)
run = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
classes = json.loads(run.get_modelmeta().custom_metadata_map["classes"])
faces = numpy.load(sys.argv[2])
(found,) = run.run(None, {run.get_inputs()[0].name: faces})
assert found.shape == (len(faces), len(classes)), found.shape
numpy.save(sys.argv[3], found)
"""
ALONE = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from best import load
assert not {"torchvision", "safetensors", "study", "fer_models"} & set(sys.modules)
faces = torch.randint(0, 256, (3, 48, 48, 3), dtype=torch.uint8)
assert torch.allclose(load(sys.argv[1] + "/best.safetensors")(faces).sum(1), torch.ones(3))
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return confirmed_study.made(tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="module")
def exported(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "best.onnx"
    assert export.main([str(study), "--out", str(out), "--int8"]) == 0
    return out


@pytest.mark.parametrize("px", [32, 40, 48, 64])
def test_what_is_done_before_the_network_is_what_training_did(px):
    faces = datasets.load(confirmed_study.DATA).val.images
    seen = []

    class Eye(torch.nn.Module):
        def forward(self, x):
            seen.append(x)
            return x.flatten(1)[:, :7]

    whole.Whole(Eye(), px, 0.0, 1.0)(torch.from_numpy(whole.coloured(faces)))
    wanted = augment.resized(torch.from_numpy(faces), px)
    assert torch.equal((seen[0] * 255).round().to(torch.uint8), wanted)


def test_grey_is_pillows():
    """The same weights; Pillow rounds where its C code does, so a level may differ by one."""
    colours = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    seen = whole.Whole(torch.nn.Flatten(), 48, 0.0, 1.0)(torch.from_numpy(colours[None]))
    grey = np.asarray(Image.fromarray(colours).convert("L")) / 255
    wanted = torch.from_numpy(grey).flatten().softmax(0)
    assert abs(seen[0].log() - wanted.log()).max() < 1.1 / 255


def test_onnx_answers_a_stranger_as_the_study_did(study, exported, tmp_path):
    faces = datasets.load(confirmed_study.DATA).test.images
    np.save(tmp_path / "faces.npy", whole.coloured(faces))
    paths = [exported, tmp_path / "faces.npy", tmp_path / "found.npy"]
    subprocess.run([sys.executable, "-I", "-c", STRANGER, *paths], check=True)
    run = opened(study)
    one = chosen(run)[0]
    kept, _ = answers(run, [one], "test")
    assert np.allclose(np.load(tmp_path / "found.npy"), kept, atol=1e-4)


def test_onnx_is_one_file_of_the_opset_that_was_asked_for_with_its_metadata(exported):
    proto = onnx.load(exported, load_external_data=False)
    assert not any(one.external_data for one in proto.graph.initializer)
    assert {one.domain: one.version for one in proto.opset_import}[""] == 18
    about = {one.key: one.value for one in proto.metadata_props}
    assert json.loads(about["classes"])[:2] == ["angry", "disgust"] and "Apache" in about["license"]
    assert {"source", "val_accuracy", "test_accuracy", "data"} <= about.keys()
    batch = proto.graph.input[0].type.tensor_type.shape.dim[0]
    assert batch.dim_param == "batch"


def test_a_class_name_with_a_comma_is_one_class_in_the_metadata(study, monkeypatch):
    run = opened(study)
    kept = answers(run, run.networks[:1], "test")  # whose columns have the study's own names
    monkeypatch.setattr(as_file.confirmed, "answers", lambda *_, **__: kept)
    names = ["angry, furious", *run.classes[1:]]
    renamed = replace(run, header=run.header | {"data": run.header["data"] | {"classes": names}})
    assert json.loads(as_file.facts(renamed, run.networks[0])["classes"]) == names


def test_photographs_of_any_size_go_in(exported):
    run = formats.session(exported)
    for size in ((1, 48, 48, 3), (5, 97, 61, 3)):
        faces = np.random.default_rng(0).integers(0, 256, size, np.uint8)
        (found,) = run.run(None, {formats.INPUT: faces})
        assert np.allclose(found.sum(1), 1, atol=1e-5) and len(found) == size[0]


def test_int8_is_smaller_and_the_card_tells_both(exported):
    small = exported.with_suffix(".int8.onnx")
    assert small.stat().st_size < 0.5 * exported.stat().st_size
    card = exported.with_suffix(".md").read_text()
    assert "best.int8.onnx" in card and "ms a face on one core" in card and "instead of" in card


def test_the_pace_of_a_file_is_not_that_of_other_work(monkeypatch, tmp_path):
    """By the clock a busy machine told 24.85 ms of a file that takes 1.8."""

    class Waits:
        def run(self, *given):
            time.sleep(0.05)

    monkeypatch.setattr(formats, "session", lambda path: Waits())
    monkeypatch.setattr(as_file, "RUNS", 3)
    told = as_file.paced(tmp_path / "best.onnx", 48)
    assert float(told.split()[1]) < 25


def test_the_card_tells_what_it_must_not_be_used_for(exported):
    card = exported.with_suffix(".md").read_text()
    for part in (
        "work or at school",
        "drawn faces",
        "| all |",
        "calibration error",
        "seed",
    ):
        assert part in card
    assert "held it for" in card and "| 95 % |" in card
    settings = card.split("## Settings and seed")[1]
    assert "- seed: " in settings and "- momentum: " in settings
    assert "lr_decay" not in settings, "which does nothing with schedule cosine"


@pytest.mark.parametrize(
    ("data", "asked", "words"),
    [
        ({"name": "fer2013", "known": "fer2013"}, "x.csv", ("FER-2013's photographs were found",)),
        ({"name": "a", "known": "raf-db"}, "a", ("It is RAF-DB (basic). Licence: non-commercial",)),
        ({"name": "a", "known": ""}, "affectnet:a", ("It is AffectNet. Licence: non-commercial",)),
        (
            {"name": "a", "notes": ["it is FER+, licence: labels MIT", "9 images left out"]},
            "ferplus-votes:a",
            ("It is FER+. Licence: labels MIT", "FER-2013's photographs were found"),
        ),
        ({"name": "mine", "known": ""}, "mine", ("the\nstudy doesn't know",)),
        ({"name": "faces", "synthetic": True}, "faces:56", ("trained on drawn faces",)),
    ],
)
def test_the_card_tells_the_licence_that_is_known(data, asked, words):
    """Of all but FER-2013 it said that the study knew none, which had told it at its beginning."""
    told = card.about_data(data, asked)
    assert all(part in told for part in words)
    assert ("doesn't know" in told) == (data["name"] == "mine")


def test_the_card_says_how_good_it_is_on_what_was_not_trained_on(study, tmp_path):
    """FER-2013 has a sixth of its test images in train or val too: 59.4 % with and 56.0 without."""
    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    table = pq.read_table(folder / "predictions.parquet")
    frame = table.to_pandas()
    frame["duplicate"] = frame["image"] % 4 == 0
    for name in datasets.load(confirmed_study.DATA).classes:  # right are the copies alone
        frame[f"p_{name}"] = np.where(frame["duplicate"] == (frame["label"] == name), 0.9, 0.1)
    pq.write_table(
        pa.Table.from_pandas(frame, table.schema, preserve_index=False),
        folder / "predictions.parquet",
    )
    own = frame[(frame["split"] == "test") & (frame["trial_id"] == "one-s0")]
    run = opened(folder)
    told = card.card(run, chosen(run)[0], ["best.onnx"], [])
    copies = int(own["duplicate"].sum())
    assert f"{len(own) - copies:,} images that no choice was made on, without {copies}" in told
    assert f"With them {100 * copies / len(own):.1f} % are right." in told
    assert f"| all | {len(own) - copies:,} | 0.0 % |" in told
    about = as_file.facts(run, chosen(run)[0])  # in the file itself they counted
    assert (about["test_accuracy"], about["test_images"]) == ("0.0000", str(len(own) - copies))


def test_the_file_and_its_card_say_how_wide_its_faces_were_cut(study):
    run = opened(study)
    wide = replace(run, study=replace(run.study, crop=0.2))
    words = "as those of its data set, 20 % of a box's side wider on each side, as uint8"
    assert words in card.card(wide, run.networks[0], [], [])
    assert as_file.facts(wide, run.networks[0])["input"].endswith("wider on each side")
    assert "wider" not in card.card(run, run.networks[0], [], [])


@pytest.mark.parametrize("kind", ["torchscript", "safetensors"])
def test_other_formats_need_torch_alone(kind, study, tmp_path):
    out = tmp_path / f"best{export.FORMATS[kind]}"
    assert export.main([str(study), "--format", kind, "--out", str(out)]) == 0
    if kind == "safetensors":
        subprocess.run([sys.executable, "-I", "-c", ALONE, str(tmp_path)], check=True)
        loader = (tmp_path / "best.py").read_text().split("def load")[1].split("def forward")[0]
        assert len(loader.strip().splitlines()) <= 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--opset", "17"], "torch wrote 18"),
        (["--opset", "99"], "99"),
        (["--network", "resnet34"], "no confirmed network resnet34"),
        (["--model", "two-s0"], "no confirmed model two-s0"),
        (["--format", "torchscript", "--int8"], "--int8"),
        (["--format", "safetensors", "--opset", "18"], "--opset is for ONNX, but --format is"),
        (["--format", "torchscript"], "x.onnx, but --format is torchscript: expected a name that"),
        (
            ["--out", "x.pt"],
            "--out is x.pt, but --format is onnx: expected a name that ends in .on",
        ),
        (["--out", "x.md"], "--out is x.md, but --format is onnx"),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_no_file(words, said, study, tmp_path, capsys):
    assert export.main([str(study), "--out", str(tmp_path / "x.onnx"), *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error and not [*tmp_path.glob("x.*")]


@pytest.mark.parametrize(
    ("words", "exporter", "said"),
    [
        ([], "onnx.export", "ONNX of opset 18 (no operator): try --format torchscript\n"),
        (
            ["--opset", "20"],
            "onnx.export",
            "ONNX of opset 20 (no operator): try --opset 18, or --format torchscript\n",
        ),
        (
            ["--format", "torchscript"],
            "jit.trace",
            "TorchScript (no operator): try --format onnx\n",
        ),
        (["--format", "safetensors"], "", "code (no operator): try --format torchscript\n"),
    ],
)
def test_what_torch_cannot_write_names_what_can_be_tried_instead(
    words, exporter, said, study, tmp_path, monkeypatch, capsys
):
    def broken(*given, **named):
        raise RuntimeError("no operator\nand a page of reasons")

    monkeypatch.setattr(f"torch.{exporter}" if exporter else "study.model.formats.export", broken)
    assert export.main([str(study), "--out", str(tmp_path / "x.file"), *words]) == 2
    error = capsys.readouterr().err
    assert error.endswith(said) and error.count("\n") == 1 and not [*tmp_path.glob("x.*")]


def test_a_weight_of_two_names_and_a_mask_are_in_the_file_of_weights(tmp_path, monkeypatch):
    """A network of one's own may have them; torch's program is made up, the file is read."""
    shared = torch.tensor([2.0, 3.0])
    code = "def forward(self, p_one, p_two, b_mask, faces):\n    return (faces,)\n"
    names = {"p_one": "one", "p_two": "two"}
    program = SimpleNamespace(
        state_dict={"one": shared, "two": shared, "mask": torch.tensor([True, False])},
        constants={},
        graph_signature=SimpleNamespace(
            inputs_to_parameters=names, inputs_to_buffers={"b_mask": "mask"}
        ),
        graph_module=SimpleNamespace(code=code),
    )
    monkeypatch.setattr(formats, "export", lambda *given, **named: program)
    path = tmp_path / "best.safetensors"
    beside = formats.write_safetensors(None, path, {"model": "a", "study": "b"})
    (tmp_path / "again.py").write_text(
        beside.read_text().replace("return faces", "return weights['one'] * weights['two'], b_mask")
    )
    monkeypatch.syspath_prepend(tmp_path)
    product, mask = importlib.import_module("again").load(path)(torch.zeros(1))
    assert product.tolist() == [4.0, 9.0] and mask.tolist() == [True, False]


@pytest.mark.parametrize(("kind", "end"), [("safetensors", ".py"), ("onnx", ".md")])
def test_a_file_of_a_persons_own_beside_it_is_not_replaced(kind, end, study, tmp_path, capsys):
    """my_nets.py, the network's own source, became the loader of my_nets.safetensors."""
    own, out = tmp_path / f"mine{end}", tmp_path / f"mine{export.FORMATS[kind]}"
    own.write_text("class MyNet: ...\n")
    words = [str(study), "--format", kind, "--out", str(out)]
    assert export.main(words) == 2
    error = capsys.readouterr().err
    assert f"mine{end} isn't of an earlier export" in error and error.count("\n") == 1
    assert own.read_text() == "class MyNet: ...\n" and not out.exists()
    own.unlink()
    assert [export.main(words) for _ in range(2)] == [0, 0], "what an export wrote is replaced"


def test_a_file_that_answers_otherwise_is_not_left(study, tmp_path, monkeypatch, capsys):
    real = formats.asked
    monkeypatch.setattr(formats, "asked", lambda *given: np.roll(real(*given), 1, axis=1))
    assert export.main([str(study), "--out", str(tmp_path / "x.onnx")]) == 2
    assert "isn't left there" in capsys.readouterr().err and not [*tmp_path.glob("x.*")]


def test_a_study_without_a_model_and_a_checkpoint_that_is_gone(study, tmp_path, capsys):
    copy = shutil.copytree(study, tmp_path / "copy")
    shutil.rmtree(copy / "checkpoints" / "one-s0")
    shutil.rmtree(copy / "checkpoints" / "one-s1")
    assert export.main([str(copy), "--out", str(tmp_path / "x.onnx")]) == 2
    assert "checkpoint of one-s" in capsys.readouterr().err
    (copy / "predictions.parquet").unlink()
    assert export.main([str(copy), "--out", str(tmp_path / "x.onnx")]) == 2
    assert "no confirmed network" in capsys.readouterr().err


def test_what_was_computed_in_bfloat16_is_compared_in_float32(study, monkeypatch):
    run = opened(study)
    one = chosen(run)[0]
    rounded = replace(one, hp=replace(one.hp, precision="bfloat16"))
    faces = datasets.load(confirmed_study.DATA).val.images
    assert np.array_equal(
        whole.probabilities(run, rounded, faces), whole.probabilities(run, one, faces)
    )


def test_the_best_setting_is_that_of_the_highest_mean_in_what_the_study_is_judged_by(study):
    """Neither the one lucky seed nor, where the study follows macro-F1, the highest accuracy."""
    run = opened(study)
    first = run.networks[0]
    rows = [("a-s0", 0.9, 0.9), ("a-s1", 0.9, 0.3), ("b-s0", 0.5, 0.6), ("b-s1", 0.5, 0.7)]
    known = [
        replace(first, name=name, setting=name[0], val_accuracy=accuracy, judged=judged)
        for name, accuracy, judged in rows
    ]
    known.append(
        replace(known[0], name="c-s0", setting="c", hp=replace(first.hp, model="resnet34"))
    )
    several = replace(run, networks=known)
    assert [one.name for one in chosen(several)] == ["c-s0"]
    assert [one.name for one in chosen(several, network="alexnet")] == ["b-s1", "b-s0"]
    assert [one.name for one in chosen(several, model="a-s1")] == ["a-s1"]


def test_the_likeliest_class_is_in_every_set():
    shares = np.array([[0.2, 0.5, 0.3], [0.95, 0.05, 0.0]])
    sets = conformal.Sets(0.9, 0.9, 100)
    assert sets.of(shares).tolist() == [[False, True, False], [True, False, False]]
    # of 19 images at nine tenths the 18th: one more, for the new image itself
    own = np.arange(19, 0, -1) / 20
    labels = np.zeros(19, int)
    assert conformal.calibrated(np.column_stack([own, 1 - own]), labels).least == own[17]


def test_conformal_sets_cover_what_they_promise():
    """On made-up probabilities that are right: 90 % within what 20,000 images tell."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(7, 0.5), 21_000)
    labels = (shares.cumsum(1) > rng.random((21_000, 1))).argmax(1)
    sets = conformal.calibrated(shares[:1000], labels[:1000])
    share, size = conformal.coverage(sets, shares[1000:], labels[1000:])
    assert 0.88 < share < 0.92 and 1 <= size < 4
    few = conformal.calibrated(shares[:5], labels[:5])  # too few to promise: every class
    assert few.least == 0 and few.of(shares).all()
