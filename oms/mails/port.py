"""Who carries mails."""

from typing import Protocol

from oms.mails.model import Letter


class ServerAway(Exception):
    """The mail server does not answer, or asks to come again."""


class ServerRefused(Exception):
    """The mail server refuses this mail for good."""


class Mailer(Protocol):
    """Hands mails to a mail server."""

    def send(self, letter: Letter) -> None:
        """Hand a mail over.

        Raises ServerAway when it may be tried again, ServerRefused when it may not.
        """
        ...
