"""Every number of the reference cases agrees with lavaan, where those cases are on this machine."""

import subprocess
import sys
from pathlib import Path

CASES = [
    "hs_cfa_ml",
    "hs_cfa_stdlv",
    "hs_cfa_meanstructure",
    "hs_second_order",
    "hs_fixed_equal",
    "hs_path",
    "hs_nonrec",
    "pd_sem_ml",
    "pd_sem_equal",
    "pd_sem_fixedx",
    "pd_growth",
    "mobi_loyalty_ml",
    "mobi_measurement_ml",
    "mobi_loyalty_listwise",
    "mobi_loyalty_fiml",
    "mobi_loyalty_wlsmv",
    "mobi_measurement_wlsmv",
    "mobi_measurement_dwls_ulsmv",
]


def test_reference_cases(reference_folder: Path):
    # A prefix such as hs_cfa_ml also names the robust estimators hs_cfa_mlm, hs_cfa_mlr and hs_cfa_mlmv.
    run = subprocess.run(
        [sys.executable, str(reference_folder / "conform.py"), *CASES, "--verbose"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = run.stdout.splitlines()
    done = [line for line in lines if line.endswith(" ok")]
    wrong = [line for line in lines if line.endswith(" wrong")]
    raised = [line.split()[1].rstrip(":") for line in lines if line.startswith("RAISED")]
    assert not wrong, run.stdout
    assert len(done) >= len(CASES)
    assert all(name.endswith(("_mlm", "_mlr", "_mlmv")) for name in raised), raised
