"""Published data sets in small, each laid out exactly as it is, from drawn faces.

Every function fills a folder and returns it. `FACES` are drawn once; photographs, where a layout
has several faces in one, are made of them.
"""

import io
import json
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from study.data import drawn_faces


@cache
def drawn() -> np.ndarray:
    """uint8 (200, 48, 48)."""
    return drawn_faces.draw(160, 20, 20, 0)[0]


def face(place: int, side: int = 48, mode: str = "L") -> Image.Image:
    image = Image.fromarray(drawn()[place % len(drawn())]).resize((side, side))
    return image.convert(mode)


def save(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def encoded(place: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    face(place).save(file, kind)
    return file.getvalue()


def raf_db(path: Path, each: int = 3) -> Path:
    """The authors' release: 7 classes, `each` images to train and to test."""
    lines, number = [], 0
    for split in ("train", "test"):
        for place in range(7 * each):
            number += 1
            name, label = f"{split}_{place + 1:05}", place % 7 + 1
            lines.append(f"{name}.jpg {label}")
            save(path / f"basic/Image/aligned/{name}_aligned.jpg", face(number, 100, "RGB"))
            save(path / f"basic/Image/original/{name}.jpg", face(number, 160, "RGB"))
            landmarks = "".join(f"{x}.5\t{x + 1}.5\n" for x in range(5))
            about = f"{place % 2}\n{place % 3}\n{place % 5}\n"
            write(path / f"basic/Annotation/manual/{name}_manu_attri.txt", landmarks + about)
    write(path / "basic/EmoLabel/list_patition_label.txt", "\n".join(lines) + "\n")
    return path


def raf_db_folders(path: Path) -> Path:
    for split in ("train", "test"):
        for place in range(21):
            name = f"DATASET/{split}/{place % 7 + 1}/{split}_{place + 1:05}_aligned.jpg"
            save(path / name, face(place + 40 * (split == "test"), 100, "RGB"))
    for split in ("train", "test"):
        write(path / f"{split}_labels.csv", "image,label\ntrain_00001_aligned.jpg,5\n")
    return path


def affectnet_arrays(path: Path, text: bool = False) -> Path:
    """The release of 2021: 8 classes, 3 images to train and 2 to validate."""
    number = 0
    for split, each in (("train", 3), ("val", 2)):
        for label in list(range(8)) * each:
            number += 1
            save(path / f"{split}_set/images/{number}.jpg", face(number, 224, "RGB"))
            folder = path / f"{split}_set/annotations"
            folder.mkdir(parents=True, exist_ok=True)
            value = str(label) if text else label
            np.save(folder / f"{number}_exp.npy", np.array(value))
            for other in ("val", "aro", "lnd"):
                np.save(folder / f"{number}_{other}.npy", np.array(0.5))
    return path


AFFECTNET_COLUMNS = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal"
)


def affectnet_tables(path: Path) -> Path:
    """The release of 2017: faces at (30, 20) of 60 pixels in larger photographs, and 8, 9, 10."""
    number = 0
    for table, each in (("training", 3), ("validation", 2)):
        rows = [AFFECTNET_COLUMNS]
        for label in list(range(8)) * each + [8, 9, 10]:
            number += 1
            photograph = Image.new("RGB", (150, 100), (255, 255, 255))
            photograph.paste(face(number, 60, "RGB"), (30, 20))
            name = f"{number % 3}/{number:08x}.jpg"
            save(path / "Manually_Annotated_Images" / name, photograph)
            rows.append(f"{name},30,20,60,60,1.0;2.0,{label},0.1,0.2")
        write(path / f"{table}.csv", "\n".join(rows) + "\n")
    return path


def expw(path: Path) -> Path:
    """30 photographs of three faces, which lie at left 10, 70, 130 and top 25, 55 pixels high."""
    lines = []
    for number in range(30):
        photograph = Image.new("RGB", (200, 100), (255, 255, 255))
        name = f"happy_{number}_{number}.jpg"
        for at in range(3):
            left, top = 10 + 60 * at, 25
            photograph.paste(face(3 * number + at, 55, "RGB"), (left, top))
            label = (3 * number + at) % 7
            lines.append(f"{name} {at} {top} {left} {left + 55} {top + 55} 57.3 {label}")
        save(path / "image/origin" / name, photograph)
    write(path / "label/label.lst", "\n".join(lines) + "\n")
    return path


CK_WORDS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")


def ck48(path: Path) -> Path:
    """12 persons with a sequence of each emotion, three neighbouring frames of each."""
    number = 0
    for person in range(12):
        for sequence, word in enumerate(CK_WORDS, 1):
            for frame in range(3):
                number += 1
                name = f"CK+48/{word}/S{person + 10:03}_{sequence:03}_{frame + 15:08}.png"
                save(path / name, face(number))
    return path


def ck_release(path: Path) -> Path:
    """10 persons, 7 sequences of 3 frames, each labelled in the file of its last frame."""
    for person in range(10):
        for sequence in range(1, 8):
            key = f"S{person + 5:03}_{sequence:03}"
            folder = f"S{person + 5:03}/{sequence:03}"
            for frame in range(1, 4):
                name = f"cohn-kanade-images/{folder}/{key}_{frame:08}.png"
                save(path / name, face(person * 21 + sequence * 3 + frame, 64))
            write(path / f"Emotion/{folder}/{key}_00000003_emotion.txt", f"   {sequence}.0e+00\n")
    return path


def ckextended(path: Path, rows: dict[int, int]) -> Path:
    """ckextended.csv with so many rows of each number."""
    lines, place = ["emotion,pixels,Usage"], 0
    for emotion, many in rows.items():
        for number in range(many):
            pixels = " ".join(map(str, drawn()[place % 200].ravel().tolist()))
            usage = ("Training", "PublicTest", "PrivateTest")[max(0, number % 10 - 7)]
            lines.append(f"{emotion},{pixels},{usage}")
            place += 1
    write(path, "\n".join(lines) + "\n")
    return path


def kdef(path: Path) -> Path:
    """10 women twice, 7 emotions, straight and from the left; a black file and a cut name."""
    number = 0
    for session in "AB":
        for person in range(1, 11):
            for emotion in ("AF", "AN", "DI", "HA", "NE", "SA", "SU"):
                for angle in ("S", "HL"):
                    number += 1
                    portrait = Image.new("RGB", (562, 762), (255, 255, 255))
                    portrait.paste(face(number, 562, "RGB"), (0, 100))
                    name = f"{session}F{person:02}"
                    save(path / f"KDEF/{name}/{name}{emotion}{angle}.JPG", portrait)
    save(path / "KDEF/AF31/AF31V.JPG", face(1, 562, "RGB"))
    save(path / "KDEF/AM31/AM31H.JPG", face(2, 562, "RGB"))
    black = path / "KDEF/AF11/AF11NEHR.JPG"
    save(black, Image.new("RGB", (562, 762)))
    content = black.read_bytes()
    black.write_bytes(content + b"\0" * (12_104 - len(content)))
    return path


def jaffe(path: Path) -> Path:
    """10 women, 3 takes of each emotion."""
    number = 0
    women = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
    for woman in women:
        for emotion in ("AN", "DI", "FE", "HA", "NE", "SA", "SU"):
            for take in (1, 2, 3):
                number += 1
                save(path / f"{woman}.{emotion}{take}.{number}.tiff", face(number, 256))
    return path


def ferplus(path: Path) -> Path:
    """Votes whose majority is 0 neutral to 7 contempt, and one image that nobody agrees on."""
    number = 0
    for split, each in (("Train", 4), ("Valid", 2), ("Test", 2)):
        folder, lines = path / f"data/FER2013{split}", []
        for label in [*(list(range(8)) * each), -1]:
            votes = [0] * 10
            votes[label] = 6
            votes[(label + 1) % 8] += 3
            votes[(label + 2) % 8] += 1
            if label < 0:
                votes = [3, 3, 2, 2, 0, 0, 0, 0, 0, 0]
            name = f"fer{number:07}.png"
            save(folder / name, face(number))
            lines.append(f'{name},"(0, 0, 48, 48)",{",".join(map(str, votes))}')
            number += 2  # the number is no row
        write(folder / "label.csv", "\n".join(lines) + "\n")
    return path


def parquet(
    path: Path,
    labels: dict[str, list[int]],
    names: list[str] | None = None,
    columns: tuple[str, str] = ("image", "label"),
    plain: bool = False,
) -> Path:
    """data/SPLIT-00000-of-00001.parquet as `datasets` writes it, in row groups of seven."""
    place = 0
    for split, numbers in labels.items():
        images = [encoded(place + k) for k in range(len(numbers))]
        place += len(numbers)
        values = images if plain else [{"bytes": one, "path": None} for one in images]
        table = pa.table({columns[0]: values, columns[1]: numbers})
        if names:
            features = {columns[1]: {"names": names, "_type": "ClassLabel"}}
            told = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": told})
        file = path / f"data/{split}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, file, row_group_size=7)
    return path


def numbers(path: Path, classes: int, each: int = 3) -> Path:
    """Folders 0, 1, ... of which nothing tells what they show."""
    for place in range(classes * each):
        save(path / f"{place % classes}" / f"{place}.png", face(place))
    return path


def webdataset(path: Path, labels: dict[str, list[int]]) -> Path:
    """SPLIT/0.tar with KEY.jpg and KEY.cls."""
    place = 0
    for split, numbers in labels.items():
        (path / split).mkdir(parents=True)
        with tarfile.open(path / split / "0.tar", "w") as archive:
            for key, label in enumerate(numbers):
                for end, content in (("jpg", encoded(place, "JPEG")), ("cls", str(label).encode())):
                    member = tarfile.TarInfo(f"s{key:07}.{end}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
                place += 1
    return path
