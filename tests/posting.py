"""A mail server on this machine that keeps what it is given, and refuses what it is told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class PostOffice:
    """What came, and how the server answers: by the verb, a line instead of `250`."""

    port: int = 0
    came: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    office: PostOffice


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.tell(self.server.office.says.get("HELLO", "220 post office"))
        while line := self.rfile.readline():
            verb = line.split(b" ")[0].strip().upper().decode()
            self.tell(self.answer(verb, line))
            if verb == "QUIT":
                return

    def answer(self, verb: str, line: bytes) -> str:
        office = self.server.office
        if verb in office.says:
            return office.says[verb]
        if verb == "RCPT":
            office.recipients.append(line.decode().partition("<")[2].partition(">")[0])
        elif verb == "DATA":
            self.tell("354 go on")
            self.take()
            return office.says.get("TAKEN", "250 taken")
        return "221 bye" if verb == "QUIT" else "250 well"

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.office.came.append(message_from_bytes(b"".join(lines), policy=default))

    def tell(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """Run a mail server until the end of the block."""
    office = PostOffice()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.office = office
        office.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield office
        finally:
            server.shutdown()
            thread.join()
