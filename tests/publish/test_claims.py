"""Addresses of results: what they mean, how they print, what is said of one that leads nowhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.claims import ClaimBook, claim_text, resolve
from sem_loyalty.publish.quoting import quoted_name
from sem_loyalty.publish.verify import portable
from sem_loyalty.study import fit_once
from sem_loyalty.survey.published import demo_codebook_path, demo_path


def fitted(**options):
    return fit_once("core", str(demo_path()), codebook=str(demo_codebook_path()), **options).to_dict()


@pytest.fixture(scope="module")
def results():
    return fitted()


@pytest.fixture(scope="module")
def grouped():
    return fitted(group="channel")


def made(**fields):
    """Return results with one record of free content."""
    return {"estimates": [], "records": {"made": [{"row": "X", "group": "", **fields}]}}


@pytest.mark.parametrize(
    ("key", "value", "english", "chinese"),
    [
        ("v", 0.5051, ".505", "0.505"),
        ("v:2", 0.5051, "0.51", "0.51"),
        ("v:.2", 0.5051, ".51", "0.51"),
        ("v:.2", -0.5051, "−.51", "−0.51"),
        ("v:.2", 1.2, "1.20", "1.20"),
        ("v:2", -0.0001, "0.00", "0.00"),
        ("v:0", 1234.4, "1,234", "1234"),
        ("v:pct", 0.703, "70", "70"),
        ("v:pct1", 0.703, "70.3", "70.3"),
        ("v:p", 0.0341, ".034", "0.034"),
        ("v:p=", 0.0341, "= .034", "= 0.034"),
        ("v:p=", 0.0002, "< .001", "< 0.001"),
        ("v:p", 0.04996, ".04996", "0.04996"),
        ("v:p", 0.05, ".050", "0.050"),
        ("v:p", 0.0503, ".050", "0.050"),
        ("v:p", 0.99999, "> .999", "> 0.999"),
    ],
)
def test_formats(key, value, english, chinese):
    # r2 is bounded by 1, so that a key without a format drops the leading zero.
    form = key.partition(":")[2]
    found = made(r2=value)
    address = f"made/X/r2{':' + form if form else ''}"
    assert claim_text(found, address, "en") == english
    assert claim_text(found, address, "zh") == chinese


def test_addresses_of_every_kind(results):
    estimate = next(row for row in results["estimates"] if (row["lhs"], row["op"], row["rhs"]) == ("LOY", "~", "SAT"))
    book = ClaimBook(results)
    assert resolve(book, "estimates/LOY~SAT/std_all").value == estimate["std_all"]
    assert resolve(book, "estimates/LOY~SAT/ci").value == (estimate["ci_lower"], estimate["ci_upper"])
    assert resolve(book, "measures/cfi").value == results["fit_measures"]["cfi"]
    assert resolve(book, "measures/rmsea_ci:.3").text("en").startswith("[.")
    assert resolve(book, "measures/chisq_df").value == pytest.approx(book.resolve("measures/chisq").value / 114)
    assert claim_text(book, "hypotheses/H1/verdict") == "supported"
    assert claim_text(book, "hypotheses/H1/verdict", "zh") == "支持"
    assert claim_text(book, "tally/supported") == "8"
    assert claim_text(book, "sample/collected") == "600"
    assert book.resolve("discriminant/TRU~~SAT/htmt").value == book.resolve("discriminant/SAT~~TRU/htmt").value
    assert book.resolve("tables/reliability/SAT/cr").value == book.resolve("reliability/SAT/cr").value
    assert book.resolve("tables/reliability/1/cr").value == book.resolve("reliability/SAT/cr").value
    assert book.resolve("tables/paths/SAT->LOY/std").value == estimate["std_all"]
    assert book.resolve("indirect/SAT->TRU->LOY/est").value == book.resolve("estimates/sat_by_trust/est").value


def test_addresses_hold_in_both_languages(results):
    chinese = fitted(lang="zh")
    for key in (
        "tables/reliability/TRU/ave:.3",
        "tables/paths/SAT->LOY/est",
        "indirect/SAT->LOY/ci:2",
        "r_squared/LOY/r2",
    ):
        assert claim_text(results, key) == claim_text(chinese, key)


def test_groups_are_named_by_label_or_number(grouped):
    by_label = resolve(grouped, "estimates/SAT=~sat2@store/std_all").value
    assert by_label == resolve(grouped, "estimates/SAT=~sat2@2/std_all").value
    assert by_label != resolve(grouped, "estimates/SAT=~sat2@online/std_all").value
    with pytest.raises(ConfigurationError, match="say of which group: SAT=~sat2@online, SAT=~sat2@store"):
        resolve(grouped, "estimates/SAT=~sat2/std_all")
    # An effect over all groups needs none.
    assert resolve(grouped, "estimates/sat_by_trust/est").value > 0


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("mesures/cfi", "Did you mean 'measures'"),
        ("measures/cfii", "Did you mean 'cfi'"),
        ("estimates/LOY~SATT/est", "Did you mean 'estimates/LOY~SAT'"),
        ("estimates/LOY~SAT/stdall", "Did you mean 'std_all'"),
        ("hypotheses/H99/est", "no row 'hypotheses/H99'"),
        ("tables/reliabilty/SAT/cr", "Did you mean 'reliability'"),
        ("tables/reliability/SAT/crr", "Did you mean 'cr'"),
        ("tables/reliability/99/cr", "has 4 rows"),
        ("tables/reliability/SAT", "tables/ID/ROW/COLUMN"),
        ("measures/cfi:many", "is no format"),
        ("measures/a/b", "measures/FIELD"),
        ("estimates/cfi", "estimates/ROW/FIELD"),
        ("", "no section ''"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_with_the_nearest(results, key, said):
    with pytest.raises(ConfigurationError, match=said):
        resolve(results, key)


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_result_without_value_cannot_be_claimed(value):
    with pytest.raises(ConfigurationError, match="no value"):
        resolve(made(est=value), "made/X/est")


@given(st.text(min_size=1, max_size=40))
def test_any_name_can_be_addressed(name):
    found = {"estimates": [], "records": {"made": [{"row": name, "group": name, "est": 1.5}]}}
    key = f"made/{quoted_name(name)}@{quoted_name(name)}/est:1"
    assert claim_text(found, key) == "1.5"
    # Nothing in it ends a string or an argument in Typst, LaTeX or HTML.
    assert not set(key) & set('"\\{}%#<&\n')


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from(["", ":0", ":1", ":2", ":3", ":.2", ":.3", ":pct", ":pct1"]),
    st.sampled_from(["en", "zh"]),
)
def test_what_is_printed_agrees_with_the_result(value, form, lang):
    claim = resolve(made(est=value), f"made/X/est{form}")
    assert claim.agrees(claim.text(lang))
    assert claim.agrees(claim.text(lang).replace("−", "-"))


@given(st.floats(0, 1, allow_nan=False), st.sampled_from(["p", "p="]), st.sampled_from(["en", "zh"]))
def test_printed_p_values_agree_and_keep_their_side_of_the_level(value, form, lang):
    claim = resolve(made(pvalue=value), f"made/X/pvalue:{form}")
    shown = claim.text(lang)
    assert claim.agrees(shown)
    number = float(shown.lstrip("<>= "))
    assert abs(value - 0.05) < 1e-8 or (number < 0.05) == (value < 0.05)


@pytest.mark.parametrize(
    ("value", "text", "agrees"),
    [
        (0.5051, ".5", True),
        (0.5051, "0.51", True),
        (0.5051, ".505", True),
        (0.5051, ".52", False),
        (0.5051, "50.5%", True),
        (0.5051, "51 %", True),
        (0.5051, "50%", False),
        (0.0004, "< .001", True),
        (0.0004, "= .0004", True),
        (0.0004, "< .0001", False),
        (1234.5, "1,234.5", True),
        (-0.25, "-.25", True),
        (-0.25, ".25", False),
        (0.5, "about half", False),
        (0.5, "", False),
    ],
)
def test_an_address_without_format_lets_the_author_choose_the_decimals(value, text, agrees):
    assert resolve(made(est=value), "made/X/est").agrees(text) is agrees


def test_results_read_again_from_json_say_the_same(results):
    stored = portable(results)
    for key in (
        "estimates/LOY~SAT/ci:2",
        "measures/rmsea:.3",
        "r_squared/LOY/r2:pct1",
        "tables/sample-flow/1/remaining",
    ):
        assert claim_text(stored, key) == claim_text(results, key)
