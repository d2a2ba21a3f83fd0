"""best-NETWORK.toml: a preset that trains again what was best."""

import shlex
from types import SimpleNamespace

from test_record_tables import HP, at, done, ended, started

from fer_models import preset_file
from fer_record.tables import Tables
from study.config.hyperparameters import Hyperparameters, present
from study.config.study import Study, configuration, preset, read_preset, to_dict
from study.driver import presets
from study.driver.given import refuse_idle_file


def found(tmp_path, *events, name="one"):
    study = Study(
        name=name,
        models=("alexnet", "resnet34"),
        data="faces:112",
        epochs=9,
        seeds=2,
        train_images=99,
        classes=("a", "b"),
        val_copies="with",
        seed=3,
    )
    begun = at(0, "driver_started", host="a", pid=1, resumed=False)
    tables = Tables.of([begun, *events])
    presets.write(
        SimpleNamespace(
            study=study, folder=tmp_path, tables=tables, header={"data": {}}, clean=False
        )
    )
    return {path.stem: path for path in tmp_path.glob("best-*.toml")}


def trained(path):
    """The only configuration that a preset has, checked as --preset checks it."""
    study, _ = read_preset(str(path), "cpu")
    refuse_idle_file(study, preset(str(path)), "cpu")
    assert study.stages == ("confirm",) and study.data == "faces:112" and study.seeds == 2
    assert study.train_images == 99 and not study.val_images and study.classes == ("a", "b")
    # of which images the part is follows from the seed
    assert (study.val_copies, study.seed, study.metric) == ("with", 3, "accuracy")
    (setting,) = study.settings
    return configuration(study, setting)


def test_the_best_of_a_search_is_trained_at_the_full_budget(tmp_path):
    """Also with the hyperparameters that act with others alone, which a preset refuses."""
    hp = present(
        Hyperparameters(model="resnet34", optimizer="adam", lr=1e-5, schedule="plateau", epochs=9)
    )
    events = [started(1, "t0000", hp), done(2, "t0000", 3), ended(3, "t0000", "stopped")]
    (path,) = found(tmp_path, *events).values()
    again = trained(path)
    assert again == Hyperparameters(**hp) and path.name == "best-resnet34.toml"
    assert "t0000 of one: 50.0 % on val after 3 epochs" in path.read_text()


def test_of_confirmed_settings_the_best_on_val(tmp_path):
    first, second = {**HP, "lr": 0.1}, {**HP, "lr": 0.2}
    events = []
    for name, hp, value in (("a", first, 0.4), ("b", second, 0.6)):
        plain = {k: v for k, v in hp.items() if k != "seed"}
        one = f"{name}-s0"
        events += [
            at(1, "chosen", setting=name, from_trial="", hp=plain),
            started(2, one, hp, "confirm") | {"setting": name},
            done(3, one, 9, value),
            ended(4, one, "completed"),
        ]
    (path,) = found(tmp_path, *events).values()
    assert (
        trained(path).lr == 0.2 and "60.0 % on val, mean of 1 seed, confirmed" in path.read_text()
    )


def test_names_of_any_characters_give_a_file_that_is_read(tmp_path):
    hp = {k: v for k, v in HP.items() if k != "seed"}
    setting = "stem\U0001f600\x7f"
    events = [at(1, "chosen", setting=setting, from_trial="", hp=hp)]
    events += [started(2, f"{setting}-s0", HP, "confirm") | {"setting": setting}]
    events += [done(3, f"{setting}-s0", 9, 0.5), ended(4, f"{setting}-s0", "completed")]
    folder = tmp_path / "o n"
    folder.mkdir()
    (path,) = found(folder, *events, name="o\nne \U0001f600").values()
    assert trained(path).lr == HP["lr"] and path.read_text().count("# ") == 2
    assert f"# python -m study.run --preset {shlex.quote(str(path))}\n" in path.read_text()
    assert preset_file.text([], {"data": "\U0001f600\x7f\\"}, {}) == (
        'data = "\U0001f600\\u007f\\\\"\n\n[[settings]]\n'
    )


def test_what_says_nothing_new_is_left_out_and_the_metric_of_a_plateau_is_not():
    assert preset_file.asked(to_dict(Study())) == {"data": "faces"}
    assert preset_file.asked(to_dict(Study(metric="macro_f1")))["metric"] == "macro_f1"


def test_nothing_found_is_no_file(tmp_path):
    assert not found(tmp_path)


def test_a_network_of_ones_own_is_named_by_its_source():
    record = {"name": "Small", "source": "my_nets.py:Small", "code": "...", "digest": "0"}
    study = SimpleNamespace(own_networks=(record,))
    assert presets.source(study, "Small") == "my_nets.py:Small"
    assert presets.source(study, "alexnet") == "alexnet"


def test_it_says_on_which_images_of_val():
    assert presets.told(Study(), 0.524, True) == "52.4 % on val without duplicates"
    assert presets.told(Study(), 0.574, False) == "57.4 % on val"
