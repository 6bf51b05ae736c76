"""Targets: nothing is sent into our own network, however its address is written."""

from ipaddress import ip_address

import pytest

from oms.kernel.targets import is_loopback, is_public, url_problem


class TestAddress:
    @pytest.mark.parametrize(
        "address", ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::1", "::ffff:1.1.1.1",
                    "64:ff9b::101:101", "2002:101:101::1"],
    )  # fmt: skip
    def test_is_public(self, address: str) -> None:
        assert is_public(ip_address(address))

    @pytest.mark.parametrize(
        "address",
        [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
            "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
            "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
            "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1",
            "2001::1", "100::1", "3fff::1", "64:ff9b:1::1",
            # What is not public, inside what seems to be.
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1",
            "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
            "2002:a00:1::1",
        ],
    )  # fmt: skip
    def test_is_not_public(self, address: str) -> None:
        assert not is_public(ip_address(address))

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    def test_is_this_machine(self, address: str) -> None:
        assert is_loopback(ip_address(address))


class TestUrl:
    @pytest.mark.parametrize(
        "url", ["https://shop.example.com/hooks", "https://shop.example.com:8443/h?x=1",
                "https://1.1.1.1/", "https://[2606:2800:220:1::1]/"],
    )  # fmt: skip
    def test_is_fine(self, url: str) -> None:
        assert url_problem(url, is_local_allowed=False) is None

    @pytest.mark.parametrize(
        "url",
        [
            "http://shop.example.com/", "ftp://shop.example.com/", "shop.example.com", "https://",
            "https:///x", "https://user@shop.example.com/", "https://user:pw@shop.example.com/",
            "https://@shop.example.com/", "https://shop.example.com/#x", "https://shop ex/",
            "https://shop.example.com:0/", "https://shop.example.com:99999/", "https://[::1",
            "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "http://127.0.0.1/",
            "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://é.example/",
            "https://shop.example.com/\n", "file:///etc/passwd", "https://x/" + "a" * 2000,
        ],
    )  # fmt: skip
    def test_is_refused(self, url: str) -> None:
        assert url_problem(url, is_local_allowed=False) is not None

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:9000/h", "http://localhost/", "http://[::1]/"]
    )
    def test_of_this_machine_is_for_tests_only(self, url: str) -> None:
        assert url_problem(url, is_local_allowed=True) is None
        assert url_problem(url, is_local_allowed=False) is not None

    @pytest.mark.parametrize(
        "url", ["http://10.0.0.1/", "https://10.0.0.1/", "http://shop.example/"]
    )
    def test_of_the_network_around_is_not_even_then(self, url: str) -> None:
        assert url_problem(url, is_local_allowed=True) is not None
