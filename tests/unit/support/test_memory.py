"""A test process that uses too much memory fails the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(tmp_path: Path, limit_mb: int) -> subprocess.CompletedProcess[str]:
    (tmp_path / "limit.py").write_text(f"from tests.support import memory\nmemory.LIMIT_MB = {limit_mb}\n")
    code = f"import sys, pytest; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import limit; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-q", "-p", "no:cacheprovider", "tests/unit/core/rules/test_glob.py"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_process_over_the_limit_fails_the_run_and_is_named(tmp_path: Path):
    done = run(tmp_path, 1)
    assert done.returncode == 1, done.stderr
    assert "FAILED: main used more than 1 MB" in done.stdout


def test_a_process_below_the_limit_is_only_told(tmp_path: Path):
    done = run(tmp_path, 4000)
    assert done.returncode == 0, done.stderr
    assert "(limit 4000 MB)" in done.stdout
