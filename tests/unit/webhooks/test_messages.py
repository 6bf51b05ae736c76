"""Messages: signed so that anybody's Standard Webhooks library finds them right."""

from datetime import UTC, datetime

from oms.webhooks.messages import encoded, headers, new_secret, signature

# The example of the specification, and of every library of it.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class TestSignature:
    def test_is_that_of_the_specification(self) -> None:
        assert signature(SECRET, MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE

    def test_is_there_once_for_each_secret(self) -> None:
        at = datetime.fromtimestamp(TIMESTAMP, UTC)
        sent = headers([SECRET, new_secret()], MESSAGE_ID, BODY, at=at)
        first, second = sent["webhook-signature"].split(" ")
        assert first == SIGNATURE != second
        assert (sent["webhook-id"], sent["webhook-timestamp"]) == (MESSAGE_ID, str(TIMESTAMP))


class TestSecret:
    def test_is_another_each_time(self) -> None:
        assert len({new_secret() for _ in range(100)}) == 100
        assert all(len(new_secret()) == len("whsec_") + 44 for _ in range(3))


class TestBody:
    def test_is_utf8_without_blanks(self) -> None:
        assert encoded({"a": "Zoë", "b": [1]}) == '{"a":"Zoë","b":[1]}'.encode()
