"""Mails over SMTP (RFC 5321), under TLS wherever they leave this machine."""

import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from oms.mails.model import Letter
from oms.mails.port import ServerAway, ServerRefused

TIMEOUT_SECONDS: Final = 20.0
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
PORTS: Final = {"smtp": 587, "smtps": 465}
_FOR_GOOD: Final = 500
_ADDRESS: Final = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")


class SmtpMailer:
    """Hands mails to one mail server.

    `smtps://` begins with TLS, `smtp://` goes on with it (STARTTLS) unless the server is on this
    machine.
    """

    def __init__(self, url: str, sender: str) -> None:
        """Take the server's address, with user and password in it, and from whom mails are.

        Raises ValueError for an address that is none.
        """
        self._server = urlsplit(url)
        if self._server.scheme not in PORTS or not self._server.hostname:
            raise ValueError("OMS_SMTP_URL must be smtp://host or smtps://host")
        self._sender = sender

    def send(self, letter: Letter) -> None:
        """Hand a mail over. Raises ServerAway, ServerRefused."""
        message = self._message(letter)
        try:
            with _connected(self._server) as server:
                server.send_message(message, from_addr=self._sender, to_addrs=[letter.recipient])
        except smtplib.SMTPRecipientsRefused as error:
            (code, said), *_ = error.recipients.values()
            raise _failure(code, said) from error
        except smtplib.SMTPDataError as error:
            raise _failure(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPResponseException as error:  # who we are, and from whom: not this mail
            raise ServerAway(_told(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ServerAway(f"the mail server cannot do what it must: {error}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAway(f"{type(error).__name__}: {error}") from error

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = formataddr((" ".join(letter.sender_name.split()), self._sender))
        message["To"] = letter.recipient
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = letter.message_id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes come back
        message.set_content(letter.text)
        for each in letter.attachments:
            kind, subkind = each.media_type.split("/")
            message.add_attachment(each.body, maintype=kind, subtype=subkind, filename=each.name)
        return message


def _connected(server: SplitResult) -> smtplib.SMTP:
    host = server.hostname or ""
    port = server.port or PORTS[server.scheme]
    context = ssl.create_default_context()
    connection: smtplib.SMTP
    if server.scheme == "smtps":
        connection = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        if host not in LOOPBACK:
            connection.starttls(context=context)
    if server.username:
        connection.login(unquote(server.username), unquote(server.password or ""))
    return connection


def _failure(code: int, said: bytes | str) -> ServerAway | ServerRefused:
    """Tell what a reply means: 5yz is for good, anything else may pass (RFC 5321, 4.2.1)."""
    told = _told(code, said)
    return ServerRefused(told) if code >= _FOR_GOOD else ServerAway(told)


def _told(code: int, said: bytes | str) -> str:
    """Write a reply without the addresses in it: it stands in logs, and longer than they may."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {_ADDRESS.sub('…', ' '.join(text.split()))}"
