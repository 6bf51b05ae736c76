"""Make sure there is a Chromium for the browser tests, by whatever way this machine offers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str | None:
    """Return a browser's path: what OMS_BROWSER names, the system's, or Playwright's."""
    if (named := os.environ.get("OMS_BROWSER")) and Path(named).exists():
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Try Debian's package where we may, then Playwright's own download."""
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        quietly([*apt, "update"])
        quietly([*apt, "install", "-y", "chromium"])
    if find() is None:
        quietly([sys.executable, "-m", "playwright", "install", "chromium"])


def quietly(command: list[str]) -> None:
    """Run a command whose success is judged by what is there afterwards."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if find() is None:
        print("Fetching Chromium for the browser tests (once) …", flush=True)
        install()
    if find() is None:
        sys.exit("No Chromium could be had: install one, or name it in OMS_BROWSER.")
