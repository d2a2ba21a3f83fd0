"""Networks of one's own: a file's, or timm's, beside the study's three."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fer_models import MODELS, own
from fer_models.three_channels import OnThreeChannels
from study import Mistake
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import from_dict, read_preset, to_dict
from study.driver import networks, prepare
from study.driver.session import Session
from study.training import own_networks

NET = """
from torch import nn

def Small(*, classes, dropout):
    return nn.Sequential(nn.Conv2d(1, 4, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(4),
                         nn.Flatten(), nn.Dropout(dropout), nn.Linear(64, classes))

class Colour(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, stride=4), nn.LazyLinear(classes)
        self.head = nn.Linear(4 * 12 * 12, classes)
    def forward(self, x):
        return self.head(self.conv(x).flatten(1))

def Wide(*, classes):
    return nn.Sequential(nn.Conv2d(1, 4, 3, stride=4), nn.AdaptiveAvgPool2d(1), nn.Flatten())

class Logarithm(Colour):
    def forward(self, x):
        return super().forward(x).log()

def Numpy(*, classes):
    import numpy, torch
    net = Small(classes=classes, dropout=0.0)
    if net[0].weight.device.type != "meta":
        with torch.no_grad():
            net[0].weight += float(numpy.random.rand())
    return net

NotOne = 3
def Without(size): return nn.Flatten()
"""


@pytest.fixture(autouse=True)
def forgotten():
    """What a test registers is gone after it."""
    models, known = dict(MODELS), dict(own.KNOWN)
    yield
    for table, before in ((MODELS, models), (own.KNOWN, known)):
        table.clear()
        table.update(before)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(NET)
    return path


def refusal(study) -> str:
    with pytest.raises(Mistake) as caught:
        prepare.check_networks(from_dict(study), 7)
    return str(caught.value)


def test_a_function_is_a_network_with_the_hyperparameters_that_it_takes(file):
    study = from_dict({"models": [f"{file}:Small", "alexnet"]})
    assert study.models == ("Small", "alexnet")
    hp = Hyperparameters(model="Small", dropout=0.5)
    assert hp.options == {"dropout": 0.5} and "stem" not in present(hp)
    prepare.check_networks(study, 7)
    (record,) = study.own_networks
    assert record["source"] == f"{file}:Small" and record["code"] == NET
    assert "Conv2d" in str(networks.defaults(study, 7)["Small"])


def test_a_network_may_hold_a_recurrent_layer_which_yields_a_tuple(tmp_path):
    path = tmp_path / "recurrent.py"
    path.write_text(
        "from torch import nn\n\n\nclass Rows(nn.Module):\n    def __init__(self, classes):\n"
        "        super().__init__()\n        self.lstm = nn.LSTM(48, 5, batch_first=True)\n"
        "        self.fc = nn.Linear(5, classes)\n\n    def forward(self, x):\n"
        "        return self.fc(self.lstm(x[:, 0])[0][:, -1])\n"
    )
    study = from_dict({"models": [f"{path}:Rows"]})
    prepare.check_networks(study, 7)
    weights = 4 * 5 * (48 + 5 + 2) + 6 * 7
    sized = networks.size(Hyperparameters(model="Rows", image_px=48), 7)
    assert sized == {"parameters": weights, "multiply_adds": 5 * 7}


def test_the_driver_sizes_a_network_that_takes_classes_alone(tmp_path):
    path = tmp_path / "bare.py"
    path.write_text(
        "from torch import nn\n\n\ndef Bare(classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, classes))\n"
    )
    name = own.named(f"{path}:Bare")
    session = SimpleNamespace(dataset=SimpleNamespace(classes=("a", "b")))
    found = Session.size(session, Hyperparameters(model=name, image_px=32))
    assert found == {"parameters": 2 * 1024 + 2, "multiply_adds": 2 * 1024}


def test_a_study_is_read_again_where_its_file_is_not(file):
    written = json.loads(json.dumps(to_dict(from_dict({"models": [f"{file}:Small"]}))))
    file.unlink()
    MODELS.pop("Small"), own.KNOWN.pop("Small")
    study = from_dict(written)
    assert study.models == ("Small",) and json.loads(json.dumps(to_dict(study))) == written
    assert MODELS["Small"](classes=5, dropout=0.0)(torch.zeros(2, 1, 48, 48)).shape == (2, 5)


def test_a_file_that_changed_is_told_and_the_study_keeps_what_it_began_with(file):
    record = from_dict({"models": [f"{file}:Small"]}).own_networks[0]
    assert own.changed(record) == ""
    file.write_text(NET.replace("Conv2d(1, 4, 3, stride=4), nn.ReLU", "Conv2d(1, 4, 5), nn.ReLU"))
    study = from_dict({"own_networks": [record], "models": ["Small"]})
    kept = MODELS["Small"](classes=7, dropout=0.0)
    assert kept[0].kernel_size == (3, 3) and study.own_networks == (record,)
    assert own.changed(record).startswith(f"{file} has changed since the study began (its digest ")
    assert "start another study" in own.changed(record)
    file.unlink()
    assert own.changed(record) == ""


def test_where_a_network_is_from_holds_in_any_folder(file, monkeypatch):
    """Named from its folder, weights were found there alone, by no worker elsewhere and by no
    --resume; another file of the name was told to be this one, changed; best-NETWORK.toml named a
    file that wasn't there."""
    monkeypatch.chdir(file.parent)
    (record,) = from_dict({"models": ["nets.py:Small"]}).own_networks
    assert record["source"] == f"{file}:Small"
    (file.parent / "elsewhere").mkdir()
    (file.parent / "elsewhere" / "nets.py").write_text("")
    monkeypatch.chdir(file.parent / "elsewhere")
    assert own.changed(record) == "" and from_dict({"models": [record["source"]]}).models
    pytest.importorskip("timm")
    Path("w.safetensors").touch()
    timms = from_dict({"models": ["timm:resnet18@w.safetensors"]}).own_networks[0]
    assert timms["source"] == f"timm:resnet18@{file.parent}/elsewhere/w.safetensors"
    monkeypatch.chdir("/")
    MODELS.pop("timm-resnet18"), own.KNOWN.pop("timm-resnet18")
    assert own.register(timms) == "timm-resnet18"


def test_two_networks_of_one_name_are_refused(file, tmp_path):
    """The second took the place of the first, in silence."""
    other = tmp_path / "others.py"
    other.write_text(NET)
    with pytest.raises(Mistake, match="have one name, Small: rename one of them"):
        from_dict({"models": [f"{file}:Small", f"{other}:Small"]})
    assert from_dict({"models": [f"{file}:Small", f"{file}:Small"]}).models == ("Small",)


def test_a_file_that_needs_another_beside_it_is_refused(tmp_path, monkeypatch):
    """It would be on no other node, and could change unseen."""
    (tmp_path / "blocks_beside.py").write_text("WIDTH = 4")
    path = tmp_path / "nets.py"
    path.write_text(f"import torch\nfrom blocks_beside import WIDTH\n{NET}")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Mistake, match="imports blocks_beside from its own folder"):
        from_dict({"models": [f"{path}:Small"]})


def test_a_network_of_three_channels_is_given_the_grey_face_three_times(file):
    study = from_dict({"models": [f"{file}:Colour"]})
    prepare.check_networks(study, 7)
    assert isinstance(MODELS["Colour"](classes=7), OnThreeChannels)


@pytest.mark.parametrize(
    ("name", "space", "words"),
    [
        ("Wide", {}, "gives (2, 4) for 2 faces of 7 classes; expected logits (2, 7)"),
        ("Logarithm", {}, "gives logits that aren't finite numbers for faces of 48 x 48"),
        ("Numpy", {}, "isn't decided by the seed: made twice from one, its weights differ"),
        ("Colour", {"image_px": 64}, "can't take faces of 64 x 64 (RuntimeError: mat1 and mat2"),
    ],
)
def test_what_no_trial_could_train_is_refused_before_the_first(file, name, space, words):
    assert words in refusal({"models": [f"{file}:{name}"], "space": space})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nets.py:NotOne", "is no network: expected a function or class NotOne"),
        ("nets.py:Without", "takes `classes` by keyword"),
        ("nets.py:Absent", "is no network"),
        ("absent.py:Net", "there is no network 'absent.py:Net': expected one of alexnet"),
        ("timm:resnet18000", "has no 'resnet18000'; it has"),
        ("timm:resnet18@w.pt", "expected a .safetensors"),
    ],
)
def test_what_is_no_network_is_refused(file, monkeypatch, text, words):
    monkeypatch.chdir(file.parent)
    with pytest.raises(Mistake) as caught:
        from_dict({"models": [text]})
    assert words in str(caught.value)


def test_a_name_of_the_studys_own_is_refused(tmp_path):
    path = tmp_path / "n.py"
    path.write_text("def alexnet(*, classes): ...")
    with pytest.raises(Mistake, match="has the name of the study's own alexnet"):
        from_dict({"models": [f"{path}:alexnet"]})


def test_a_file_of_another_encoding_is_no_traceback(tmp_path):
    path = tmp_path / "n.py"
    code = "def Marked(*, classes): ..."
    path.write_text(code, encoding="utf-8-sig")
    (record,) = from_dict({"models": [f"{path}:Marked"]}).own_networks
    assert record["code"] == code and own.changed(record) == ""
    path.write_bytes(b"# caf\xe9")
    with pytest.raises(Mistake, match="n.py isn't text in UTF-8"):
        from_dict({"models": [f"{path}:Net"]})


def test_a_file_that_fails_says_how(tmp_path):
    path = tmp_path / "n.py"
    path.write_text("import absent_package")
    with pytest.raises(Mistake, match="can't be imported .ModuleNotFoundError: No module named"):
        from_dict({"models": [f"{path}:Net"]})


def test_timms_networks_have_one_channel_and_begin_with_the_weights_of_a_file(tmp_path):
    timm = pytest.importorskip("timm")
    from safetensors.torch import save_file

    study = from_dict({"models": ["timm:resnet18"]})
    assert study.models == ("timm-resnet18",)
    assert study.own_networks[0]["digest"] == f"timm {timm.__version__}"
    prepare.check_networks(study, 7)
    net = MODELS["timm-resnet18"](classes=7, dropout=0.0)
    assert net.conv1.in_channels == 1 and net.fc.out_features == 7
    weights = timm.create_model("resnet18").state_dict()
    save_file(weights, tmp_path / "w.safetensors")
    begun = from_dict({"models": [f"timm:resnet18@{tmp_path}/w.safetensors"]})
    net = MODELS[begun.models[0]](classes=7, dropout=0.0)
    assert torch.allclose(net.conv1.weight, weights["conv1.weight"].sum(1, keepdim=True))
    own_networks.check([Hyperparameters(model="timm-resnet18")], 7)


def test_another_timm_on_a_node_is_refused():
    pytest.importorskip("timm")
    from_dict({"models": ["timm:resnet18"]})
    record = own.KNOWN.pop("timm-resnet18") | {"digest": "timm 0.1"}
    with pytest.raises(own.Refused, match="isn't the same here: it is timm"):
        own.of_timm(record)


def test_the_command_that_trains_the_best_again_names_its_file():
    from results.facts.setting import Best, command, toml

    source = "my_nets.py:Small"
    told = "accuracy", 7, "val", None, {}, source
    best = Best("s", "Small", "Small", "t", {"model": "Small"}, (), 1, "all that ran", 0.5, *told)
    assert f"--models {source}" in command(best) and f'models = ["{source}"]' in toml(best)


def test_the_presets_take_them(file):
    base = read_preset("smoke", "cpu")[0]
    study = from_dict(
        {"models": [f"{file}:Small", "alexnet"], "space": {"Small": {"lr": 0.1}}}, base
    )
    assert study.own["Small"] == {"lr": 0.1}


@pytest.mark.ray
def test_four_networks_from_the_command_line(file, tmp_path):
    """One of a file, one of timm's and two of the study's, on a data set of one's own."""
    import layouts

    from results.artefacts.load import load

    data = layouts.raf_db(tmp_path / "raf", each=6)
    models = f"{file}:Small,timm:test_resnet,alexnet,resnet34"
    command = [sys.executable, "-m", "study.run", "--preset", "smoke", "--models", models]
    command += ["--data", f"raf-db:{data}", "--out", str(tmp_path / "runs"), "--name", "own"]
    command += ["--trials", "4", "--epochs", "1", "--seeds", "1", "--batch-size", "8"]
    command += ["--image-px", "32,64", "--device", "cpu", "--address", "local"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = load(tmp_path / "runs" / "own")
    assert found.study["data"]["known"] == "raf-db" and found.study["data"]["side_px"] == 64
    assert {m for m in found.trials["hp_model"]} == {
        "Small",
        "timm-test_resnet",
        "alexnet",
        "resnet34",
    }
    sources = {one["name"]: one["source"] for one in found.study["study"]["own_networks"]}
    assert sources == {"Small": f"{file}:Small", "timm-test_resnet": "timm:test_resnet"}
    other = ["--data", f"raf-db:{layouts.raf_db(tmp_path / 'other', each=10)}", "--device", "cpu"]
    asked = [sys.executable, "-m", "study.evaluate", str(tmp_path / "runs" / "own"), *other]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert all(f"  {name}: " in done.stdout for name in sources), done.stdout
    assert "none of them is a copy or near copy of a training image" in done.stdout
    report = [sys.executable, "-m", "results", str(tmp_path / "runs" / "own")]
    report += ["--out", str(tmp_path / "own.html")]
    done = subprocess.run(report, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    page = (tmp_path / "own.html").read_text()
    assert "Trained on, tested on" in page and "African-American" in page, "accuracy by group"
