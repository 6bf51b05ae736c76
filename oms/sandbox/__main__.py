"""Run the sandbox PSP: `python -m oms.sandbox`."""

import logging

from oms.sandbox.psp import serve
from oms.settings import Settings


def main() -> None:
    """Serve until stopped; the API of the same home is told of what is done."""
    logging.basicConfig(level=logging.INFO)
    settings = Settings()
    serve(
        settings.sandbox_psp_path, settings.sandbox_psp_port,
        notify_url=f"http://127.0.0.1:{settings.api_port}/v1/psps/sandbox/notices",
        secret=settings.sandbox_psp_secret.get_secret_value(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
