"""Networks as their layer tables tell them: facts exactly, and drawings that hold those facts."""

import numpy as np
import pytest
from test_results_load import epochs, folder, header, trial, whole

from fer_models import MODELS
from fer_models.layers import layer_table
from results.artefacts.load import load
from results.facts import architecture
from results.figures import diagrams
from results.publish import PUBLISHED
from results.report.sections.networks import networks

__all__ = ["whole"]
NETWORKS = ("alexnet", "resnet34", "cbam_resnet34")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A study whose header holds the layers of the real modules at 48 px."""
    options = {
        "alexnet": {"batch_norm": True},
        "resnet34": {"stem": "imagenet"},
        "cbam_resnet34": {"stem": "imagenet", "cbam_order": "serial", "cbam_reduction": 16},
    }
    tables = {
        name: layer_table(MODELS[name](classes=7, dropout=0.0, **options[name]), 48)
        for name in NETWORKS
    }
    sizes = {
        name: {
            column: sum(row[column] for row in rows) for column in ("parameters", "multiply_adds")
        }
        for name, rows in tables.items()
    }
    rows = [trial(name, name, **sizes[name]) for name in NETWORKS]
    rows.append(trial("again", "cbam_resnet34", hp_cbam_order="parallel", **sizes["cbam_resnet34"]))
    rows[2] |= {"hp_cbam_order": "serial"}
    return load(folder(tmp_path_factory.mktemp("s"), header(networks=tables), rows, [], []))


def of(study, model):
    (found,) = [one.layers for one in architecture.networks(study) if one.model == model]
    return found


def test_stages_sum_the_layers(whole):
    frame = architecture.stages(architecture.networks(load(whole))[0].layers)
    assert frame["stage"].tolist() == ["layer1", "fc"]
    assert frame["multiply_adds"].tolist() == [900, 100]
    assert frame["share"].tolist() == [0.9, 0.1]
    assert frame["kinds"].tolist() == ["Conv2d, ReLU", "Linear"]


def test_a_stage_of_blocks_counts_them_and_hands_on_the_blocks_output_not_the_gates(real):
    frame = architecture.stages(of(real, "cbam_resnet34")).set_index("stage")
    names = [f"layer{k}" for k in (1, 2, 3, 4)]
    assert frame.loc[names, "blocks"].tolist() == [3, 4, 6, 3]
    assert frame.loc[names, "modules"].tolist() == ["gate"] * 4
    assert frame.loc["layer1", "output"] == "64 × 12 × 12"
    assert frame.loc["conv1", ["blocks", "modules"]].tolist() == [0, ""]
    assert frame["parameters"].sum() == of(real, "cbam_resnet34")["parameters"].sum()


def test_steps_join_what_has_no_weights(real):
    frame = architecture.steps(of(real, "cbam_resnet34"))
    assert frame["stage"].tolist() == [
        "conv1",
        "bn1, relu, maxpool",
        "layer1",
        "layer2",
        "layer3",
        "layer4",
        "avgpool, dropout",
        "fc",
    ]
    assert frame["share"].sum() == pytest.approx(1)


def test_modules_with_parts_of_their_own_are_found_in_every_block(real):
    frame = architecture.inside(of(real, "cbam_resnet34"))
    assert frame["block"].nunique() == 16 and set(frame["module"]) == {"gate"}
    first = frame[frame["block"] == "layer1.0"]
    assert first["layer"].tolist() == ["mlp.0", "mlp.1", "mlp.2", "conv"]
    assert first["part"].tolist() == ["channel"] * 3 + ["spatial"]
    assert set(first["enters"]) == {"64 × 12 × 12"}
    assert architecture.inside(of(real, "resnet34")).empty
    assert architecture.inside(of(real, "alexnet")).empty


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("layer1.0.gate.spatial.conv", "gate"),
        ("blocks.0.0.se.conv_reduce", None),  # timm's: stage, block, then what stands in it
        ("layer1.0.downsample.0.conv", None),
        ("layer1.0.conv1", None),
    ],
)
def test_a_number_names_no_module(layer, name):
    """A block of timm was drawn as an attention module "0"."""
    assert architecture.module(layer.split(".")) == name


def test_a_module_that_weighs_nothing_is_no_gate():
    """A network of one's own, of modules in modules: its report broke, or multiplied a body in."""
    told = [
        ("features.0.body.conv.conv", "Conv2d", [8, 24, 24]),
        ("features.0.body.norm.bn", "BatchNorm2d", [8, 24, 24]),
        ("features.1.body.conv.conv", "Conv2d", [16, 12, 12]),
        ("features.1.gate.channel.conv", "Conv2d", [16, 1, 1]),
        ("head", "Linear", [7]),
    ]
    keys = ("name", "kind", "shape", "parameters", "multiply_adds")
    rows = [dict(zip(keys, (*row, 10, 100), strict=True)) for row in told]
    layers = architecture.table("mine", rows)
    stages = architecture.stages(layers)
    assert stages["output"].tolist() == ["16 × 12 × 12", "7"]
    assert stages["modules"].tolist() == ["gate", ""]
    inside = architecture.inside(layers)
    assert inside[["block", "module", "enters"]].to_numpy().tolist() == [
        ["features.1", "gate", "16 × 12 × 12"]
    ]
    assert "16 × 12 × 12" in texts(diagrams.network(architecture.steps(layers), "mine"))


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("64 × 1 × 1", "a weight per channel"),
        ("1 × 12 × 12", "a weight per place"),
        ("64 × 12 × 12", "a weight per number"),
        ("64", "64"),
    ],
)
def test_a_gates_answer_is_told_by_its_shape(output, words):
    assert architecture.meaning(output, "64 × 12 × 12") == words


def texts(figure):
    return " | ".join(note["text"] for note in figure.layout.annotations)


@pytest.mark.parametrize("model", NETWORKS)
def test_a_drawing_says_each_stages_shape_parameters_and_work(real, model):
    steps = architecture.steps(of(real, model))
    figure = diagrams.network(steps, model)
    told = texts(figure)
    for _, step in steps.iterrows():
        assert step["stage"] in told and step["output"] in told
    weighted = steps[steps["weight_layers"] > 0]
    for _, step in weighted.iterrows():
        assert diagrams.costs(step) in told
    whole = diagrams.WIDTH - diagrams.LEFT - 8
    bars = [s for s in figure.layout.shapes if s.type == "line" and s.line.color.endswith(",1.0)")]
    shares = [(bar.x1 - bar.x0) / whole for bar in bars]
    assert np.allclose(shares, weighted["share"][weighted["share"] > 0])
    assert figure.layout.height == figure.layout.yaxis.range[0]


def test_a_module_is_drawn_in_each_order_that_ran(real):
    assert architecture.orders(real, "cbam_resnet34") == ["serial", "parallel"]
    assert architecture.orders(real, "alexnet") == []
    layers = architecture.inside(of(real, "cbam_resnet34"))
    serial = texts(diagrams.module(layers, "serial", "cbam_resnet34"))
    assert serial.index("x ⊗ a weight per channel") < serial.index("that ⊗ a weight per place")
    assert "512 parameters" in serial and "98 parameters" in serial
    assert "x ⊗ channel ⊗ spatial" in texts(diagrams.module(layers, "parallel", "cbam_resnet34"))


def test_the_section_draws_each_network_and_its_module_once(real):
    blocks = networks([real, real]).blocks
    assert [title for title, _ in blocks[0].plots] == [f"{name} in mine" for name in NETWORKS]
    assert [title for title, _ in blocks[1].plots] == ["gate, serial", "gate, parallel"]
    assert "in each of 16 blocks" in blocks[1].summary


def layer(parameters, adds=1000):
    return {
        "name": "fc",
        "kind": "Linear",
        "shape": [7],
        "parameters": parameters,
        "multiply_adds": adds,
    }


def confirmed(path, size, **more):
    """A study that stored 100 parameters for alexnet and confirmed one of another size."""
    rows = [trial("t0"), trial("alexnet-s0", stage="confirm", parameters=size)]
    return load(folder(path, header(**more), rows, epochs("t0", [0.2]), []))


def test_layers_of_the_defaults_are_not_said_to_be_as_trained(tmp_path):
    for size in (100, 250):
        figure = networks([confirmed(tmp_path / str(size), size)]).blocks[0]
        assert ("as trained here" in figure.caption) == (size == 100)
        told = "those that were trained have 250 parameters and 1,000 multiply-adds"
        assert (told in figure.summary) == (size == 250)


def test_what_was_confirmed_is_drawn_where_the_study_stored_it(tmp_path):
    tables = [{"model": "alexnet", "settings": ["alexnet"], "layers": [layer(250)]}]
    figure = networks([confirmed(tmp_path / "s", 250, confirmed_networks=tables)]).blocks[0]
    assert figure.caption == "alexnet as trained here"
    assert figure.summary.startswith("alexnet: 250 parameters")


def test_a_network_confirmed_in_two_shapes_is_drawn_in_both(tmp_path):
    tables = [
        {"model": "alexnet", "settings": [name], "layers": [layer(size)]}
        for name, size in (("small", 250), ("large", 500))
    ]
    rows = [
        trial("small-s0", stage="confirm", setting="small", parameters=250),
        trial("large-s0", stage="confirm", setting="large", parameters=500),
    ]
    found = load(folder(tmp_path / "s", header(confirmed_networks=tables), rows, [], []))
    figure = networks([found]).blocks[0]
    assert figure.caption == "alexnet (small) and alexnet (large) as trained here"


def test_the_published_search_draws_what_it_confirmed():
    found = load(PUBLISHED / "search")
    figure = networks([found]).blocks[0]
    confirmed = found.trials[found.trials["stage"] == "confirm"]
    sizes = confirmed.groupby("hp_model")["parameters"].unique().explode()
    assert len(sizes) >= 3 and "as trained here" in figure.caption
    for size in sizes:
        assert f"{size:,} parameters" in figure.summary


def test_a_study_without_a_layer_table_has_no_section(tmp_path):
    assert networks([load(folder(tmp_path / "s", header(networks={})))]) is None
