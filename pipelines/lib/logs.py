"""Logs of the long-lived processes: one line an event, facts as name=value."""

import logging
import sys


def say(logger: logging.Logger, event: str, **facts: object) -> None:
    """Log one event with its facts."""
    logger.info("%s%s", event, "".join(f" {name}={_shown(value)}" for name, value in facts.items()))


def complain(logger: logging.Logger, event: str, **facts: object) -> None:
    """Log one event that a person may have to look at."""
    logger.warning(
        "%s%s", event, "".join(f" {name}={_shown(value)}" for name, value in facts.items())
    )


def start(level: int = logging.INFO) -> None:
    """Send this process's own log lines to standard error, with time and level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    )
    logger = logging.getLogger("pipelines")
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = " ".join(str(value).split())
    return f'"{text[:400]}"' if " " in text else text
