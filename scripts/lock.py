"""Write the lock files: every version with its hashes, for every platform, no addresses."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
           "--no-header", "--quiet", "--upgrade"]  # fmt: skip


def main() -> None:
    """Compile pyproject.toml into the two lock files, and uv itself into the bootstrap's."""
    uv = str(Path(sys.executable).parent / "uv")
    for arguments in (
        ["pyproject.toml", "-o", "requirements.lock"],
        ["pyproject.toml", "--group", "dev", "-o", "requirements-dev.lock"],
        ["requirements-bootstrap.in", "-o", "requirements-bootstrap.lock"],
    ):
        subprocess.run([uv, *COMPILE, *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
