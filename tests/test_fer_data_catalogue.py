"""Which published data set a study's images are of, and the margin that they have."""

import json

import layouts
import numpy as np
import pytest
from PIL import Image
from test_results_load import epochs, folder, trial
from test_results_load import header as head_of

from fer_data.readers.kdef import EMOTIONS
from fer_record.tables import Tables
from results.artefacts import faces
from results.artefacts.load import load
from results.facts import health, setting
from study import Mistake
from study.config.study import Study, recorded, to_dict
from study.data import datasets
from study.driver import begin, header, prepare
from study.model.confirmed import Run, images
from study.record import schemas


def portraits(path):
    """KDEF of 12 women, at half its size, none of whom looks like another."""
    rng = np.random.default_rng(0)
    for woman in range(1, 13):
        for emotion in EMOTIONS:
            image = Image.fromarray(rng.integers(0, 256, (20, 15), np.uint8))
            own = path / f"AF{woman:02}"
            layouts.save(own / f"AF{woman:02}{emotion}S.JPG", image.resize((281, 381)))
    return path


@pytest.mark.parametrize("without", [(), ("surprise",)])
def test_a_study_of_kdef_that_was_begun_with_a_margin_is_read_again(tmp_path, without):
    """Its data were refused, as those of a new one are, by --resume, study.evaluate and the faces
    of the explorer; the margin had changed no pixel."""
    source = f"kdef:{portraits(tmp_path / 'k')}"
    whole = datasets.load(source, without=without)
    study = Study(data=source, crop=0.2, without=without)
    with pytest.raises(Mistake, match="leave out --crop"):
        begin.read_images(study, (), 48)
    told = {"study": to_dict(study), "data": prepare.described(whole, whole), "started_at": ""}
    told = json.loads(json.dumps(told))
    run = tmp_path / "run"
    run.mkdir()
    (run / "study.json").write_text(json.dumps(told))
    driver = {"event": "driver_started", "host": "h", "pid": 1, "resumed": False}
    driver |= {"time": "2026-11-30T10:00:00+00:00", **header.of_journal(told)}
    tables = Tables.of([driver])
    _, again = header.read(run, tables)
    assert begin.read_images(again, (), 48).digest == whole.digest
    assert recorded(driver).crop == 0.0, "also where study.json is lost"
    assert images(Run(run, told, recorded(told), [])).digest == whole.digest
    schemas.write_tables(Tables(), run)
    one = load(run)
    assert faces.copy(one, source).digest == whole.digest


def test_no_command_trains_kdef_again_with_a_margin(tmp_path):
    """It would be refused."""
    for known, there in (("kdef", False), ("expw", True)):
        head = head_of(study={"crop": 0.2, "data": f"{known}:x"}, data={"known": known})
        made = folder(tmp_path / known, head, [trial("a")], epochs("a", [0.2]), [])
        one = load(made)
        best = setting.best(one, [])
        for told in (setting.command(best), setting.toml(best), health.again(one)):
            assert ("crop" in told) is there


def test_a_margin_of_faces_with_boxes_stays():
    data = {"name": "expw", "known": "expw", "digest": "d"}
    assert recorded({"study": to_dict(Study(data="expw:x", crop=0.2)), "data": data}).crop == 0.2
