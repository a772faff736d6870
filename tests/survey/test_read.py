"""Reading survey files: every format and encoding, platform exports, and one clear error for each broken file."""

import hashlib
import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.survey.codebook import Codebook, Item, apply_codebook
from sem_loyalty.survey.encodings import decode
from sem_loyalty.survey.platforms import seconds
from sem_loyalty.survey.read import read_survey

SIMPLIFIED = "您对该品牌的产品质量感到满意吗,我会向朋友推荐这家公司的服务"
TRADITIONAL = "您對該品牌的產品質量感到滿意嗎,我會向朋友推薦這家公司的服務"


def _write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def _workbook(path: Path, rows: list[list[object]], title: str = "Sheet1") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.create_sheet("other").append(["z"])
    book.save(path)
    return path


# ---------------------------------------------------------------- delimited text and encodings


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", SIMPLIFIED),
        ("utf-8-sig", SIMPLIFIED),
        ("utf-16", SIMPLIFIED),
        ("gb18030", SIMPLIFIED),
        ("big5", TRADITIONAL),
    ],
)
def test_encodings_are_found_and_reported(tmp_path: Path, encoding: str, text: str) -> None:
    first, second = text.split(",")
    path = _write(tmp_path / "s.csv", f"{first},{second}\n1,2\n3,\n", encoding)
    survey = read_survey(path)
    assert list(survey.data.columns) == [first, second]
    assert survey.data[second].isna().tolist() == [False, True]
    assert survey.source.encoding == encoding
    assert survey.source.notes[0].startswith(f"Encoding {encoding}")
    assert survey.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    again = read_survey(path, encoding=encoding)
    pd.testing.assert_frame_equal(again.data, survey.data)


def test_western_encodings_are_never_guessed(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes("café,b\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="name its encoding"):
        read_survey(path)
    assert list(read_survey(path, encoding="latin-1").data.columns) == ["café", "b"]


def test_wrong_encoding_says_what_to_try(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.csv", SIMPLIFIED + "\n1,2\n", "gb18030")
    with pytest.raises(DataError, match=r"s\.csv is not in utf-8.*Try encoding='gb18030'"):
        read_survey(path, encoding="utf-8")
    with pytest.raises(DataError, match="'utf8x' is not known"):
        read_survey(path, encoding="utf8x")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.sampled_from(SIMPLIFIED.replace(",", "")), min_size=3, max_size=9), min_size=2, unique=True),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.lists(st.integers(1, 7), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t"]),
)
def test_chinese_headers_survive_every_encoding(
    tmp_path: Path, headers: list[str], encoding: str, values: list[int], delimiter: str
) -> None:
    lines = [delimiter.join(headers), *(delimiter.join([str(value)] * len(headers)) for value in values)]
    survey = read_survey(_write(tmp_path / "p.csv", "\n".join(lines), encoding))
    assert list(survey.data.columns) == headers
    assert survey.data[headers[0]].tolist() == values


@given(st.text(st.sampled_from(TRADITIONAL), min_size=12))
def test_big5_text_is_told_from_gb18030(text: str) -> None:
    assert decode(text.encode("big5")).text == text


@given(st.text(st.sampled_from(SIMPLIFIED), min_size=4))
def test_gb_text_is_not_taken_for_big5(text: str) -> None:
    assert decode(text.encode("gbk")).text == text


def test_delimiters_quotes_and_decimal_commas(tmp_path: Path) -> None:
    semicolon = read_survey(_write(tmp_path / "a.csv", 'name;x;y\n"A; B";3,5;1\n"line\nbreak";4;2\n'))
    assert semicolon.data["name"].tolist() == ["A; B", "line\nbreak"]
    assert semicolon.data["x"].tolist() == [3.5, 4.0]
    assert "Delimiter: semicolon." in semicolon.source.notes
    tab = read_survey(_write(tmp_path / "a.tsv", "a,1\tb\n1\t2\n"))
    assert list(tab.data.columns) == ["a,1", "b"]
    one = read_survey(_write(tmp_path / "one.txt", "a\n1\n2\n"))
    assert one.data["a"].tolist() == [1, 2]


def test_numbers_are_normalised_and_identifiers_kept(tmp_path: Path) -> None:
    text = "id,q1,q2,q3,card\n00012, ５ ,1.5,NA,110101199001011234\n00013,４　,−2,3,110101199001011235\n"
    survey = read_survey(_write(tmp_path / "n.csv", text))
    assert survey.data["q1"].tolist() == [5, 4]
    assert survey.data["q2"].tolist() == [1.5, -2.0]
    assert survey.data["q3"].isna().tolist() == [True, False]
    assert survey.data["id"].tolist() == ["00012", "00013"]
    assert survey.data["card"].tolist()[0] == "110101199001011234"
    notes = "\n".join(survey.source.notes)
    assert "'NA' read as missing in numeric columns (cells): 'q3' 1." in notes
    assert "'id'; 'card': long or zero-led digit strings kept as text" in notes


def test_stray_text_in_a_numeric_column_is_reported(tmp_path: Path) -> None:
    survey = read_survey(_write(tmp_path / "n.csv", "q\n1\n2\nabc\n4\n"))
    assert "row 3: 'abc'" in "\n".join(survey.source.notes)
    assert survey.data["q"].tolist() == ["1", "2", "abc", "4"]


def test_short_rows_are_reported_and_long_ones_refused(tmp_path: Path) -> None:
    survey = read_survey(_write(tmp_path / "a.csv", "a,b,c\n1,2\n3,4,5,\n"))
    assert survey.data["c"].isna().tolist() == [True, False]
    assert "1 rows have fewer cells than the header (line 2)" in "\n".join(survey.source.notes)
    with pytest.raises(DataError, match=r"line 3: 3 cells under a header of 2"):
        read_survey(_write(tmp_path / "b.csv", "a,b\n1,2\n1,2,3\n"))
    with pytest.raises(DataError, match="unclosed quotation mark"):
        read_survey(_write(tmp_path / "c.csv", 'a,b\n"1,2\n3,4\n'))


# ---------------------------------------------------------------- errors of any file


def test_missing_file_offers_the_nearest(tmp_path: Path) -> None:
    _write(tmp_path / "loyalty_survey.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"Did you mean 'loyalty_survey\.csv'\?"):
        read_survey(tmp_path / "loyalty_survy.csv")
    with pytest.raises(DataError, match=r"the folder .* does not exist"):
        read_survey(tmp_path / "no" / "x.csv")


def test_folder_and_extension(tmp_path: Path) -> None:
    _write(tmp_path / "s.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"is a folder, not a survey file\. It holds s\.csv"):
        read_survey(tmp_path)
    with pytest.raises(DataError, match=r"extension '\.pdf'; a survey file can be \.csv.*\.sav.*\.parquet"):
        read_survey(_write(tmp_path / "s.pdf", "x"))
    with pytest.raises(DataError, match="no extension"):
        read_survey(_write(tmp_path / "s", "x"))


@pytest.mark.parametrize("content", ["", "\n\n", "   \n"])
def test_empty_files(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"e\.csv is empty"):
        read_survey(_write(tmp_path / "e.csv", content))


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "sav", "dta", "parquet"])
@pytest.mark.parametrize("content", [b"", b"this is not such a file at all " * 40, b"PK\x03\x04broken"])
def test_damaged_files(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"d.{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"d\.{suffix} (is empty|cannot be read as)"):
        read_survey(path)


def test_binary_file_under_a_text_name(tmp_path: Path) -> None:
    path = _workbook(tmp_path / "x.xlsx", [["a"], [1]])
    with pytest.raises(DataError):
        read_survey(path.rename(tmp_path / "x.csv"))
    with pytest.raises(DataError, match="null characters"):
        read_survey(_write(tmp_path / "n.csv", "a\x00b,c\n1,2\n"))


def test_header_only_and_duplicate_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a header but no rows"):
        read_survey(_write(tmp_path / "h.csv", "a,b\n"))
    with pytest.raises(DataError, match=r"same name: 'q1' \(columns 1, 3\); 'q2' \(columns 2, 4\)"):
        read_survey(_write(tmp_path / "d.csv", "q1,q2,q1 ,q2,q3\n1,2,3,4,5\n"))
    with pytest.raises(DataError, match=r"same name: 'q1' \(columns 1, 2\)"):
        read_survey(_workbook(tmp_path / "d.xlsx", [["q1", "q1"], [1, 2]]))
    pd.DataFrame({"a": pd.Series(dtype=float)}).to_parquet(tmp_path / "h.parquet")
    with pytest.raises(DataError, match="column names but no rows"):
        read_survey(tmp_path / "h.parquet")


def test_nameless_columns(tmp_path: Path) -> None:
    survey = read_survey(_write(tmp_path / "a.csv", "a,,b,\n1,7,2,\n"))
    assert list(survey.data.columns) == ["a", "column_2", "b"]


def test_unknown_choices() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'qualtrics'"):
        read_survey("x.csv", platform="qualtrix")
    with pytest.raises(ConfigurationError, match="user_missing"):
        read_survey("x.csv", user_missing="drop")


# ---------------------------------------------------------------- spreadsheets and statistical files


def test_spreadsheet_sheets_types_and_blank_rows(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["满意", "q2", "when", "text"],
        [1, 2.5, pd.Timestamp("2024-05-01"), "a"],
        [None] * 4,
        [3],
    ]
    path = _workbook(tmp_path / "b.xlsx", rows, "数据")
    survey = read_survey(path)
    assert survey.data["满意"].tolist() == [1, 3]
    assert survey.data["q2"].isna().tolist() == [False, True]
    assert survey.data["when"].iloc[0] == pd.Timestamp("2024-05-01")
    assert "Sheet '数据' of '数据'; 'other'." in survey.source.notes
    assert read_survey(path, sheet="数据").source.rows == 2
    with pytest.raises(DataError, match="a header but no rows"):
        read_survey(path, sheet=1)
    with pytest.raises(DataError, match=r"has no sheet 'othr'\. Did you mean 'other'"):
        read_survey(path, sheet="othr")
    with pytest.raises(DataError, match="no spreadsheet"):
        read_survey(_write(tmp_path / "a.csv", "a\n1\n"), sheet="x")


def test_spss_user_missing_codes_and_ranges(tmp_path: Path) -> None:
    frame = pd.DataFrame({"q1": [1.0, 2, 99, np.nan], "q2": [1.0, -9, -1, 3], "s": ["a", "b", "x", ""]})
    path = tmp_path / "s.sav"
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"q1": "总体满意", "q2": "Trust", "s": "Text"},
        variable_value_labels={"q1": {1.0: "非常不同意", 99.0: "拒答"}},
        missing_ranges={"q1": [99], "q2": [{"lo": -9, "hi": -1}], "s": ["x"]},
    )
    survey = read_survey(path)
    assert survey.data["q1"].isna().tolist() == [False, False, True, True]
    assert survey.data["q2"].isna().tolist() == [False, True, True, False]
    assert survey.data["s"].isna().tolist() == [False, False, True, True]
    q1, q2, s = survey.codebook.items
    assert (q1.label_zh, q1.label_en, q1.missing) == ("总体满意", "", (99.0,))
    assert q1.value_labels == ((1.0, "非常不同意"), (99.0, "拒答"))
    assert (q2.label_en, q2.missing_ranges, s.missing) == ("Trust", ((-9.0, -1.0),), ("x",))
    assert "Missing codes set to NaN (cells): 'q1' 1; 'q2' 2; 's' 1." in survey.source.notes
    kept = read_survey(path, user_missing="keep")
    assert kept.data["q1"].tolist()[2] == 99.0
    assert kept.data["q2"].tolist() == [1, -9, -1, 3]
    pd.testing.assert_frame_equal(apply_codebook(kept), survey.data)


def test_stata_labels_and_parquet_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"q1": [1, 2, 2], "q2": [0.5, np.nan, 2.0]})
    pyreadstat.write_dta(
        frame,
        tmp_path / "s.dta",
        column_labels={"q1": "满意", "q2": "Two"},
        variable_value_labels={"q1": {1: "no", 2: "yes"}},
    )
    survey = read_survey(tmp_path / "s.dta")
    assert survey.codebook.items[0].value_labels == ((1.0, "no"), (2.0, "yes"))
    assert survey.codebook.items[0].label("zh") == "满意"
    assert survey.data["q2"].isna().tolist() == [False, True, False]
    typed = frame.assign(q3=pd.array([1, None, 3], dtype="Int64"), t=["agree", "disagree", "strongly agree"])
    typed.to_parquet(tmp_path / "s.parquet")
    found = read_survey(tmp_path / "s.parquet")
    assert str(found.data["q3"].dtype) == "Int64"
    assert found.source.format == "parquet"


# ---------------------------------------------------------------- platforms


def _qualtrics(encoding_rows: bool = True) -> list[list[object]]:
    names = [
        "StartDate",
        "Status",
        "IPAddress",
        "Progress",
        "Finished",
        "Duration (in seconds)",
        "RecipientEmail",
        "Q1_1",
    ]
    words = [
        "Start Date",
        "Response Type",
        "IP Address",
        "Progress",
        "Finished",
        "Duration",
        "Email",
        "Rate:\n - Quality",
    ]
    rows: list[list[object]] = [[*names, "Q2"], [*words, "我会再来"]]
    if encoding_rows:
        rows.append([json.dumps({"ImportId": name}) for name in [*names, "Q2"]])
    rows.append(["2024-05-01 10:00:00", "Survey Preview", "1.2.3.4", "100", "True", "20", "", "1", "1"])
    rows.append(["2024-05-01 10:05:00", "IP Address", "1.2.3.5", "100", "True", "120", "a@b.c", "5", "4"])
    rows.append(["2024-05-01 10:06:00", "IP Address", "1.2.3.6", "40", "False", "30", "", "2", ""])
    return rows


def test_qualtrics_text_file(tmp_path: Path) -> None:
    path = tmp_path / "q.tsv"
    pd.DataFrame(_qualtrics()).to_csv(path, sep="\t", header=False, index=False, encoding="utf-16")
    survey = read_survey(path)
    assert (survey.source.platform, survey.source.rows) == ("qualtrics", 2)
    assert survey.data["Q1_1"].tolist() == [5, 2]
    assert survey.data["Duration (in seconds)"].tolist() == [120, 30]
    assert "IPAddress" not in survey.data
    assert "RecipientEmail" not in survey.data
    item = survey.codebook.get("Q1_1")
    assert item is not None
    assert item.label_en == "Rate: - Quality"
    notes = "\n".join(survey.source.notes)
    assert "1 preview or test rows dropped" in notes
    assert "Personal columns dropped: IPAddress; RecipientEmail." in notes
    assert "1 of 2 rows are unfinished" in notes
    kept = read_survey(path, keep_personal=True)
    assert kept.data["IPAddress"].tolist() == ["1.2.3.5", "1.2.3.6"]
    with pytest.raises(DataError, match="keep_personal=True"):
        read_survey(path, codebook=Codebook((Item("RecipientEmail", "email"),)))


def test_qualtrics_spreadsheet_with_two_header_rows(tmp_path: Path) -> None:
    survey = read_survey(_workbook(tmp_path / "q.xlsx", _qualtrics(False)))
    assert (survey.source.platform, survey.source.rows) == ("qualtrics", 2)
    only = [row for row in _qualtrics() if row[1] != "IP Address"]
    with pytest.raises(DataError, match="previews or tests"):
        read_survey(_workbook(tmp_path / "p.xlsx", only))


WENJUANXING = [
    [
        "序号",
        "提交答卷时间",
        "所用时间",
        "来源",
        "来源详情",
        "来自IP",
        "1、我信任该品牌",
        "第6题(服务)",
        "第6题(价格)",
        "7、优点",
        "8、满意吗",
    ],
    ["1", "2026/9/3 12:00:00", "125秒", "微信", "N/A", "1.1.1.1(北京)", "5", "４", "-3", "A┋B", "非常满意"],
    ["2", "2026/9/3 12:01:00", "1分5秒", "微信", "N/A", "1.1.1.2(上海)", "(跳过)", "2", "-2", "A", "一般"],
    ["3", "2026/9/3 12:02:00", "88秒", "微信", "N/A", "1.1.1.3(上海)", "3", "1", "5", "（跳过）", "比较满意"],
    ["4", "2026/9/3 12:03:00", "70秒", "微信", "N/A", "1.1.1.4(上海)", "3", "1", "5", "B", "比较不满意"],
    ["5", "2026/9/3 12:04:00", "70秒", "微信", "N/A", "1.1.1.5(上海)", "3", "1", "5", "B", "非常不满意"],
]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_wenjuanxing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"w.{kind}"
    if kind == "csv":
        _write(path, "\n".join(",".join(row) for row in WENJUANXING), "gb18030")
    else:
        rows: list[list[object]] = [
            [int(c) if c.lstrip("-").isdecimal() and c.isascii() else c for c in r] for r in WENJUANXING
        ]
        _workbook(path, rows)
    survey = read_survey(path)
    assert survey.source.platform == "wenjuanxing"
    assert survey.data["所用时间"].tolist() == [125, 65, 88, 70, 70]
    assert "来自IP" not in survey.data
    named = apply_codebook(survey)
    assert named["Q1"].isna().tolist() == [False, True, False, False, False]
    assert named["Q6_1"].tolist() == [4, 2, 1, 1, 1]
    assert named["Q6_2"].isna().tolist() == [True, True, False, False, False]
    assert named["Q7"].isna().tolist() == [False, False, True, False, False]
    assert named["Q8"].tolist() == [5, 3, 4, 2, 1]
    notes = "\n".join(survey.source.notes)
    assert "(跳过) (2 cells)" in notes
    assert "-3 (1 cells)" in notes
    assert "Personal columns dropped: 来自IP; 来源详情." in notes
    item = survey.codebook.get("Q6_2")
    assert item is not None
    assert (item.column, item.label_zh) == ("第6题(价格)", "价格")


def test_codebook_may_use_short_names(tmp_path: Path) -> None:
    path = _write(tmp_path / "w.csv", "\n".join(",".join(row) for row in WENJUANXING))
    book = Codebook((Item("Q1", "tr1", "TRUST", min=1, max=5), Item("6、x", "x")))
    with pytest.raises(DataError, match="'6、x'"):
        read_survey(path, codebook=book)
    survey = read_survey(path, codebook=Codebook(book.items[:1]))
    assert survey.codebook.items[0].column == "1、我信任该品牌"
    assert survey.codebook.items[0].label_zh == "我信任该品牌"
    assert "tr1" in apply_codebook(survey)


@pytest.mark.parametrize(
    ("text", "value"),
    [("125秒", 125), ("2分5秒", 125), ("1小时2分", 3720), ("00:02:05", 125), ("3:20", 200), ("88", 88), ("88.5", 88.5)],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


def test_no_duration() -> None:
    assert seconds("soon") is None
    assert np.isnan(seconds("") or 0.0)
