#!/usr/bin/env bash
# webdataset reads what it wrote as other samples, where a key has a dot.
#
# Guess: a key that TarWriter takes is the key that WebDataset gives back, a sample for each.
# Seen, webdataset 1.0.2, Python 3.11; five faces under the names that JAFFE gives its files:
#   written: KA.AN1.39 KA.AN2.40 KA.HA1.29 KL.AN1.167 KL.HA1.158
#   read:    KA (an1.39.cls an1.39.txt an2.40.cls an2.40.txt ha1.29.cls ha1.29.txt)
#   read:    KL (an1.167.cls an1.167.txt ha1.158.cls ha1.158.txt)
# Neither the writer nor the reader says a word. Read by their endings (to_tuple("txt", "cls")) the
# samples raise; with the handler that goes on, the data set is empty.
# Since: the beginning, by design (webdataset issue 237, 2022): a name may have several endings, so its
#   key ends at the first dot. The writer holds no key to that.
# Source: webdataset/tariterators.py (base_plus_ext), webdataset/writer.py (TarWriter.write).
# Bitten: who packs JAFFE (KA.AN1.39.tiff), or any files whose names hold a date, a version or a
#   decimal: 213 faces become ten samples, one for each woman.
set -euo pipefail
sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${FINDINGS_PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile webdataset==1.0.2 numpy==2.4.6 pyyaml==6.0.4
cd "$work"
echo "Now:"
venv/bin/python - <<'EOF'
import webdataset as wds

keys = ["KA.AN1.39", "KA.AN2.40", "KA.HA1.29", "KL.AN1.167", "KL.HA1.158"]
with wds.TarWriter("faces.tar") as shard:
    for label, key in enumerate(keys):
        shard.write({"__key__": key, "txt": f"face {key}", "cls": label})
print("  written:", *keys)
read = list(wds.WebDataset("faces.tar", shardshuffle=False))
fields = {one["__key__"]: sorted(set(one) - {"__key__", "__url__", "__local_path__"}) for one in read}
for key, names in fields.items():
    print(f"  read:    {key} ({' '.join(names)})")
assert list(fields) == ["KA", "KL"] and len(fields["KA"]) == 6, "the behaviour has changed"
goes_on = wds.WebDataset("faces.tar", shardshuffle=False).to_tuple("txt", "cls", handler=wds.ignore_and_continue)
assert list(goes_on) == [], "the behaviour has changed"
EOF
