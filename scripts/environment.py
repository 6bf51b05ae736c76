"""Build the project's environment with nothing but a plain Python: a venv, uv in it, the lock."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON_MIN = (3, 11)


def main(target: str) -> None:
    """Make the environment in a folder, exactly as the lock files say."""
    if sys.version_info < PYTHON_MIN:
        sys.exit(f"Python {'.'.join(map(str, PYTHON_MIN))} or newer is needed.")
    folder = ROOT / target
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"Building the environment in {target} (once; about a minute) …", flush=True)
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(ROOT / "requirements-bootstrap.lock")])
    uv = [str(folder / "bin" / "uv"), "pip"]
    lock = str(ROOT / "requirements-dev.lock")
    # Compiled once: where nothing may be written later, each process would compile what it imports.
    run([
        *uv, "sync", "--quiet", "--python", str(python), "--compile-bytecode", "--require-hashes",
        lock,
    ])  # fmt: skip
    install_project(folder, python)


def install_project(folder: Path, python: Path) -> None:
    """Put the project on the environment's path, and its command beside Python."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    (Path(done.stdout.strip()) / "orp-oms.pth").write_text(f"{ROOT}\n")
    command = folder / "bin" / "oms"
    command.write_text(f"#!{python}\nfrom oms.cli import app\n\napp()\n")
    command.chmod(0o755)


def run(command: list[str]) -> None:
    """Run a command; end with its code when it fails."""
    done = subprocess.run(command, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1])
