"""The API's process: `python -m api --workers 2`, on loopback."""

import argparse
import os
import signal
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.streams import Streams
from oms import bootstrap
from oms.settings import Settings

GRACE_SECONDS: Final = 10

LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "api.edge.JsonLines"}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}
    },
    "root": {"handlers": ["out"], "level": "INFO"},
}


def make() -> FastAPI:
    """Make the application of the settings; each worker has its own."""
    app = create_app(bootstrap.build(Settings()))
    _end_streams_when_told(app.state.streams)
    return app


def _end_streams_when_told(streams: Streams) -> None:
    """Have a signal end the streams before the server waits for what it has begun."""
    for number in (signal.SIGINT, signal.SIGTERM):
        stop = signal.getsignal(number)

        def end(number: int, frame: FrameType | None, stop: Any = stop) -> None:
            streams.close()
            if callable(stop):
                stop(number, frame)

        signal.signal(number, end)


def main() -> None:
    """Serve until SIGTERM or SIGINT; requests at work are answered first."""
    parser = argparse.ArgumentParser(prog="api", description=__doc__)
    settings = Settings()
    parser.add_argument(
        "--workers", type=int, default=settings.api_workers, help="processes that answer"
    )
    workers = parser.parse_args().workers
    # Each of them reads the settings anew, and must know of how many it is one.
    os.environ["OMS_API_WORKERS"] = str(workers)
    uvicorn.run(
        "api.__main__:make", factory=True, workers=workers, host="127.0.0.1",
        port=settings.api_port, log_config=LOGGING, access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip


if __name__ == "__main__":
    main()
