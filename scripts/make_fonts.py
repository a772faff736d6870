"""Make the Chinese fonts that travel with the package out of Debian's fonts-noto-cjk.

Run once, on a machine with that package installed (``apt-get install fonts-noto-cjk``)::

    python scripts/make_fonts.py [--source /usr/share/fonts/opentype/noto] [--out sem_loyalty/publish/fonts]

Each face is cut down to the characters of GB/T 2312 plus Latin, Greek and punctuation, its cubic outlines become
quadratic (so that PDF writers embed clean Type 42), and the family is renamed, so that an installed full Noto is never
mixed up with the subset. The same source gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import subprocess
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

#: Common in given names and in survey wording, but not in GB/T 2312.
BEYOND_GB2312 = "祎堃喆昇玥珺翀旻昉暐瑀玘垚犇骉淼甦璟瑄彧飏镕晞甯湉钰頔昳珣砼吖啰瞭"
PUNCTUATION = (
    "\u00a0\u2009\u2010\u2011\u2013\u2014\u2018\u2019\u201c\u201d\u2020\u2021\u2022\u2026\u2030\u2032\u2033\u2190\u2191\u2192\u2193\u2194"
    "\u2212\u2248\u2260\u2264\u2265\u221a\u221e\u2211\u220f\u00b1\u00d7\u00f7\u00b0\u00b2\u00b3\u00b9\u00b7\u25cf\u25cb\u25a0\u25a1\u25b2\u25b3\u203b"
)
#: head.modified and head.created: seconds since 1904, here 2022-01-27, the date of the upstream release.
STAMP = 3_726_086_400

FACES = (
    # file of the package, face in the collection, our family, last row of GB/T 2312 (55 = level 1, 87 = level 2 too)
    ("NotoSerifCJK-Regular.ttc", "Noto Serif CJK SC", "SemCJK Serif", 87),
    ("NotoSansCJK-Bold.ttc", "Noto Sans CJK SC", "SemCJK Sans", 87),
)


def characters(last_row: int) -> set[int]:
    """Code points of GB/T 2312 rows 1 to 9 and 16 to `last_row`, with Latin, Greek and punctuation."""
    text = PUNCTUATION + "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA)]))
    for row in [*range(1, 10), *range(16, last_row + 1)]:
        for cell in range(1, 95):
            text += bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312", errors="ignore")
    if last_row > 55:
        text += BEYOND_GB2312
    return {ord(character) for character in text}


def face(path: Path, family: str) -> TTFont:
    for font in TTCollection(path, lazy=True).fonts:
        if font["name"].getDebugName(1) in (family, f"{family} Bold") or font["name"].getDebugName(16) == family:
            return font
    raise SystemExit(f"{path} holds no face named {family!r}")


def subset(font: TTFont, wanted: set[int]) -> TTFont:
    options = Options()
    options.layout_features = []
    options.name_IDs = [0, 13, 14]
    options.notdef_outline = True
    options.hinting = False
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "DSIG", "GPOS", "GSUB", "GDEF"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    return font


def true_type(font: TTFont, family: str) -> TTFont:
    """Rebuild the font with quadratic outlines (error at most 1/2000 em) under a new name."""
    order = font.getGlyphOrder()
    outlines = font.getGlyphSet()
    glyphs: dict[str, Any] = {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, max_err=0.5, reverse_direction=True))
        glyphs[name] = pen.glyph()
    names = font["name"]
    old = {number: names.getDebugName(number) for number in (0, 13, 14)}
    builder = FontBuilder(font["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(font.getBestCmap())
    builder.setupGlyf(glyphs)
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics(
        {name: (font["hmtx"][name][0], getattr(table[name], "xMin", 0) or 0) for name in order}
    )
    builder.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
    builder.setupNameTable(
        {
            "copyright": old[0] or "",
            "familyName": family,
            "styleName": "Regular",
            "uniqueFontIdentifier": f"{family} 1.0",
            "fullName": family,
            "version": "Version 1.000",
            "psName": family.replace(" ", "") + "-Regular",
            "licenseDescription": old[13] or "",
            "licenseInfoURL": old[14] or "",
        }
    )
    source = font["OS/2"]
    builder.setupOS2(
        sTypoAscender=source.sTypoAscender,
        sTypoDescender=source.sTypoDescender,
        sTypoLineGap=source.sTypoLineGap,
        usWinAscent=source.usWinAscent,
        usWinDescent=source.usWinDescent,
        sxHeight=source.sxHeight,
        sCapHeight=source.sCapHeight,
        fsType=0,
        usWeightClass=400,
    )
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = STAMP
    builder.font["head"].modified = STAMP
    builder.font.recalcTimestamp = False
    return builder.font


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def package_version() -> str:
    found = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "fonts-noto-cjk"], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--source", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    options.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "sem_loyalty" / "publish" / "fonts")
    options.add_argument("--licence", type=Path, default=Path("/usr/share/doc/fonts-noto-cjk/copyright"))
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    made = []
    for file, source_family, family, last_row in FACES:
        path = chosen.source / file
        font = true_type(subset(face(path, source_family), characters(last_row)), family)
        target = chosen.out / (family.replace(" ", "") + ".ttf")
        font.save(target)
        glyphs = len(font.getBestCmap())
        print(f"{target.name}: {glyphs} characters, {target.stat().st_size / 1e6:.2f} MB")
        made.append((target, family, glyphs, path, source_family))
    holder = face(chosen.source / FACES[0][0], FACES[0][1])["name"].getDebugName(0)
    notice = licence(chosen.licence, holder)
    (chosen.out / "OFL.txt").write_text(notice, encoding="utf-8")
    (chosen.out / "README.md").write_text(readme(made), encoding="utf-8")


def licence(path: Path, copyright_line: str) -> str:
    """Copyright line and the text of the SIL Open Font License 1.1, out of Debian's copyright file."""
    data = path.read_bytes()
    text = gzip.decompress(data).decode() if path.suffix == ".gz" else data.decode()
    start = text.index("-----------------------------------------------------------")
    lines = [line.strip() for line in text[start : text.index("License: GPL-3+", start)].splitlines()]
    body = "\n".join("" if line == "." else line for line in lines).strip()
    return (
        copyright_line + "\n"
        "SemCJK Serif and SemCJK Sans are modified versions: subset, outlines converted, renamed.\n\n"
        "This Font Software is licensed under the SIL Open Font License, Version 1.1.\n"
        "This license is copied below, and is also available with a FAQ at:\nhttp://scripts.sil.org/OFL\n\n"
        + body
        + "\n"
    )


def readme(made: list[tuple[Path, str, int, Path, str]]) -> str:
    lines = [
        "# Chinese fonts of this package",
        "",
        "Made by `scripts/make_fonts.py`; not edited by hand. Licence: SIL Open Font License 1.1 (`OFL.txt`).",
        "The licence covers the font files alone, not documents or pictures made with them.",
        "",
        f"Source: Debian package `fonts-noto-cjk` {package_version()} (Noto CJK).",
        "",
        "| File | Family | Characters | Made from | SHA-256 of the source | SHA-256 of the file |",
        "|---|---|---|---|---|---|",
    ]
    for target, family, glyphs, path, source_family in made:
        lines.append(
            f"| `{target.name}` | {family} | {glyphs} | `{path.name}`, face {source_family} "
            f"| `{sha256(path)}` | `{sha256(target)}` |"
        )
    lines += [
        "",
        "Both hold GB/T 2312 levels 1 and 2, Latin, Greek, punctuation and some characters common in given names; the",
        "Sans, for construct names and headings, comes from the bold weight. What changed: characters cut down to this",
        "set, cubic outlines converted to quadratic (error at most 1/2000 em), hinting, vertical metrics and layout",
        "features dropped, family renamed.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
