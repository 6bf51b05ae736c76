"""Documents by mail over HTTP: asked for once, carried by the worker, told of when they fail."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from oms.kernel import clock
from oms.mails.model import WAITS
from oms.workflows import mailing
from tests.api.conftest import House
from tests.api.test_documents import issue, sold
from tests.ledger.issuing import register
from tests.posting import PostOffice, post_office


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture
def billed(stocked: House, office: PostOffice) -> House:
    """Give the house whose tills are a legal entity's, with a mail server."""
    register(stocked.shop)
    system = stocked.system
    system.settings = system.settings.model_copy(
        update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{office.port}"),
                "mail_from": "shop@penshop.example"}
    )  # fmt: skip
    system.__dict__.pop("mailer", None)
    return stocked


def issued(house: House, ref: str = "T-1", **columns: Any) -> str:
    """Sell something at a till and issue its invoice; return the document's number."""
    number = sold(house, ref, **columns)
    return str(issue(house, number).json()["documents"][0]["number"])


def mail(house: House, number: str, key: str = "agent", once: str = "m", **body: Any) -> Any:
    return house.post(f"/v1/documents/{number}/mails", body, key, once=once)


def send(house: House) -> bool:
    return mailing.send_due(house.system.ledger, house.system.mailer, house.system.renderer)


def later(house: House) -> None:
    """Let what waits to be tried again be due."""
    with house.system.ledger.transaction() as tx:
        tx.exec_driver_sql(
            "update mails set next_try_at = requested_at where next_try_at is not null"
        )


def listed(house: House, query: str = "") -> Any:
    return house.get(f"/v1/mails{query}", "agent").json()["items"]


class TestMailed:
    def test_gets_to_its_customer_with_the_document(
        self, billed: House, office: PostOffice
    ) -> None:
        number = issued(billed)
        answer = mail(billed, number)
        assert (answer.status_code, answer.json()["state"]) == (202, "queued")
        assert office.came == []
        assert send(billed)
        (came,) = office.came
        assert (came["To"], came["Subject"]) == ("ada@example.org", f"Factuur {number}")
        assert came["From"] == '"Penshop B.V." <shop@penshop.example>'
        assert came["Message-ID"] == answer.json()["message_id"]
        body = came.get_body()
        assert body is not None
        assert number in body.get_content()
        (file,) = came.iter_attachments()
        assert file.get_filename() == f"{number}.pdf"
        assert file.get_content() == billed.get(f"/v1/documents/{number}/pdf", "agent").content
        (done,) = listed(billed)
        assert (done["state"], done["attempts"], done["failure"]) == ("sent", 1, None)
        assert billed.get(f"/v1/documents/{number}", "agent").json()["sent_at"] is not None
        assert not send(billed)

    def test_again_under_its_key_is_one_and_names_nobody(
        self, billed: House, office: PostOffice
    ) -> None:
        number = issued(billed)
        first, again = mail(billed, number), mail(billed, number)
        assert (first.json()["recipient"], again.json()["recipient"]) == ("ada@example.org", None)
        assert again.json() | {"recipient": None} == first.json() | {"recipient": None}
        refused = mail(billed, number, once="other")
        assert (refused.status_code, refused.json()["code"]) == (409, "MAIL_UNDER_WAY")
        while send(billed):
            pass
        assert len(office.came) == 1

    def test_of_many_at_once_one_is_sent(self, billed: House, office: PostOffice) -> None:
        number = issued(billed)
        codes: list[int] = []

        def ask(turn: int) -> None:
            codes.append(mail(billed, number, once=f"k{turn}").status_code)

        threads = [threading.Thread(target=ask, args=(turn,)) for turn in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(codes) == [202, *[409] * 7]
        while send(billed):
            pass
        assert len(office.came) == 1

    def test_goes_elsewhere_for_who_may_issue_documents(
        self, billed: House, office: PostOffice
    ) -> None:
        number = issued(billed)
        refused = mail(billed, number, recipient="b@example.org")
        assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE_MISSING")
        assert mail(billed, number, "finance", recipient="b@example.org").status_code == 202
        send(billed)
        assert office.recipients == ["b@example.org"]

    @pytest.mark.parametrize(
        "recipient", ["", "b", "b@example", "a b@example.org", "b@example.org, c@example.org",
                      "b@example.org\nBcc: c@example.org", "<b@example.org>"],
    )  # fmt: skip
    def test_refuses_what_is_no_address(self, billed: House, recipient: str) -> None:
        answer = mail(billed, issued(billed), "finance", recipient=recipient)
        assert answer.status_code == 422
        assert listed(billed) == []

    def test_refuses_without_an_address_or_a_server(self, billed: House) -> None:
        number = issued(billed, customer_email=None)
        assert mail(billed, number).json()["code"] == "NO_RECIPIENT"
        billed.system.settings = billed.system.settings.model_copy(update={"smtp_url": None})
        billed.system.__dict__.pop("mailer", None)
        assert mail(billed, number, once="n").json()["code"] == "MAIL_NOT_SET_UP"
        assert not send(billed)


class TestFailed:
    @pytest.mark.parametrize(
        ("verb", "said"),
        [("RCPT", "550 no such user"), ("TAKEN", "554 spam")],
    )
    def test_for_good_is_not_tried_again(
        self, billed: House, office: PostOffice, verb: str, said: str
    ) -> None:
        office.says[verb] = said
        number = issued(billed)
        mail(billed, number)
        assert send(billed)
        (failed,) = listed(billed, "?state=failed")
        assert (failed["failure"], failed["next_try_at"]) == (said, None)
        later(billed)
        assert not send(billed)
        assert billed.get(f"/v1/documents/{number}", "agent").json()["sent_at"] is None
        (told,) = (
            each for each in billed.get("/v1/attention").json()["items"]
            if each["code"] == "MAIL_FAILED"
        )  # fmt: skip
        assert (told["place"], told["count"]) == ("invoice", 1)
        # Sent again it is no longer somebody's business.
        office.says.clear()
        mail(billed, number, once="again")
        send(billed)
        codes = [each["code"] for each in billed.get("/v1/attention").json()["items"]]
        assert "MAIL_FAILED" not in codes

    @pytest.mark.parametrize(
        ("verb", "said"),
        [
            ("RCPT", "450 come again"), ("HELLO", "421 busy"), ("TAKEN", "451 full"),
            ("MAIL", "550 not from you"),
        ],
    )  # fmt: skip
    def test_for_now_is_tried_again_under_the_same_name(
        self, billed: House, office: PostOffice, verb: str, said: str
    ) -> None:
        office.says[verb] = said
        answer = mail(billed, issued(billed)).json()
        assert send(billed)
        assert not send(billed)
        (waiting,) = listed(billed)
        assert (waiting["state"], waiting["attempts"]) == ("queued", 1)
        office.says.clear()
        office.came.clear()
        later(billed)
        assert send(billed)
        assert [each["Message-ID"] for each in office.came] == [answer["message_id"]]
        assert [each["state"] for each in listed(billed)] == ["sent"]

    def test_where_nobody_answers_is_given_up_after_a_day(
        self, billed: House, office: PostOffice
    ) -> None:
        office.says["HELLO"] = "421 busy"
        mail(billed, issued(billed))
        for _ in WAITS:
            assert send(billed)
            assert [each["state"] for each in listed(billed)] == ["queued"]
            later(billed)
        assert send(billed)
        (failed,) = listed(billed)
        assert (failed["state"], failed["failure"]) == ("failed", "421 busy")
        assert sum(WAITS, timedelta()) >= timedelta(days=1)

    def test_who_was_frozen_says_nothing_any_more(self, billed: House, office: PostOffice) -> None:
        from oms.mails import operations

        mail(billed, issued(billed))
        ledger = billed.system.ledger
        first = ledger.run(lambda tx: operations.take_due(tx, at=clock.now()))
        assert first is not None
        later(billed)
        assert send(billed)
        assert not ledger.run(lambda tx: operations.give_up(tx, first, "late", at=clock.now()))
        assert not ledger.run(
            lambda tx: operations.sent(tx, replace(first, claim=99), at=clock.now())
        )
        assert [each["state"] for each in listed(billed)] == ["sent"]

    def test_says_why_without_whose_address(self, billed: House, office: PostOffice) -> None:
        office.says["RCPT"] = "550 <ada@example.org> unknown"
        mail(billed, issued(billed))
        send(billed)
        assert [each["failure"] for each in listed(billed)] == ["550 … unknown"]

    def test_that_cannot_be_made_is_put_off(self, billed: House) -> None:
        class Broken:
            def render(self, *_: object) -> bytes:
                raise RuntimeError("no font")

        mail(billed, issued(billed))
        ledger, mailer = billed.system.ledger, billed.system.mailer
        assert mailing.send_due(ledger, mailer, Broken())
        (waiting,) = listed(billed)
        assert (waiting["state"], waiting["failure"]) == ("queued", "RuntimeError")


class TestErased:
    def test_is_not_sent_and_names_nobody(self, billed: House, office: PostOffice) -> None:
        from oms.mails import operations

        number = issued(billed)
        mail(billed, number)
        order_id = billed.shop.value("select order_id from mails")
        billed.system.ledger.run(lambda tx: operations.erase(tx, [order_id], at=clock.now()))
        later(billed)
        assert not send(billed)
        assert office.came == []
        (left,) = listed(billed)
        assert (left["recipient"], left["state"]) == (None, "failed")
