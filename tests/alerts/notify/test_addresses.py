"""Where a notification may go, and how it gets there: the guard against SSRF, the HTTP client."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify.address import allowed_addresses, refusal, tries
from alerts.notify.errors import DeliveryError
from alerts.notify.http import Sender
from tests.alerts.notify.build import FakeReceiver, Received, answer, blackhole
from tests.certificates import certificate

PRIVATE = (
    "127.0.0.1", "127.255.1.2", "10.0.0.1", "172.16.3.4", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "240.0.0.1",
    "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "2002:7f00:1::", "2002:0a00:0001::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
)  # fmt: skip
NOBODYS = ("0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::7f00:1", "x")
PUBLIC = ("9.9.9.9", "1.1.1.1", "2606:4700:4700::1111", "::ffff:9.9.9.9", "64:ff9b::909:909")


def failing(url: str, words: str | None = None, timeout_s: float = 2.0) -> DeliveryError:
    """Post to an address, which must fail."""
    with (
        Sender(allow_private=True, timeout_s=timeout_s) as sender,
        pytest.raises(DeliveryError, match=words) as caught,
    ):
        sender.post(url, b"x", {})
    return caught.value


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_needs_the_setting(address: str) -> None:
    assert refusal(address, allow_private=False) is not None
    with pytest.raises(DeliveryError, match="address") as caught:
        allowed_addresses("x", 443, allow_private=False, resolver=lambda *_: ["9.9.9.9", address])
    assert not caught.value.retry


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd00::1"])
def test_the_setting_lets_private_addresses_in(address: str) -> None:
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", NOBODYS)
def test_what_is_no_host_is_refused_with_the_setting_too(address: str) -> None:
    assert refusal(address, allow_private=False) is not None
    assert refusal(address, allow_private=True) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_fine(address: str) -> None:
    assert refusal(address, allow_private=False) is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]",
     "[::ffff:127.0.0.1]", "127.0.0.1."],
)  # fmt: skip
def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    with FakeReceiver() as receiver, Sender(allow_private=False, timeout_s=2) as sender:
        with pytest.raises(DeliveryError, match=r"private address|web address|no address"):
            sender.post(f"http://{host}:{receiver.port}/", b"", {})
        assert receiver.received == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "gopher://x/", "http://", "x"])
def test_other_schemes_are_refused(url: str) -> None:
    assert not failing(url).retry


def test_a_name_is_resolved_once_and_keeps_its_name() -> None:
    """A second answer of the name server (DNS rebinding) is never asked for."""
    asked: list[str] = []

    def once(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with FakeReceiver() as receiver, Sender(
        allow_private=True, timeout_s=2, resolver=once
    ) as sender:  # fmt: skip
        sender.post(f"http://hooks.example:{receiver.port}/x", b"{}", {})
        assert asked == ["hooks.example"]
        assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_the_certificate_is_that_of_the_name_and_not_of_the_address(tmp_path: Path) -> None:
    trusted, tls = certificate(tmp_path, "hooks.example")
    with FakeReceiver(tls=tls) as receiver:

        def post(name: str, ca_file: Path | None) -> None:
            with Sender(
                allow_private=True, timeout_s=5, resolver=lambda *_: ["127.0.0.1"],
                ca_file=ca_file and str(ca_file),
            ) as sender:  # fmt: skip
                sender.post(f"https://{name}:{receiver.port}/", b"x", {})

        post("hooks.example", trusted)
        for name, ca_file in (("other.example", trusted), ("127.0.0.1", trusted),
                              ("hooks.example", None)):  # fmt: skip
            with pytest.raises(DeliveryError, match=r"no secure connection \(CERTIFICATE"):
                post(name, ca_file)
        assert len(receiver.received) == 1


def test_certificates_that_cannot_be_read_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(DeliveryError, match=f"{name}: cannot be read"):
            Sender(allow_private=True, timeout_s=1, ca_file=str(tmp_path / name))


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeReceiver() as proxy, FakeReceiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with Sender(allow_private=True, timeout_s=2) as sender:
            sender.post(receiver.url, b"", {})
        assert (len(proxy.received), len(receiver.received)) == (0, 1)


def test_redirects_are_not_followed() -> None:
    with FakeReceiver() as inner:
        there = [("location", inner.url)]
        with FakeReceiver(answer(307, headers=there)) as outer:
            caught = failing(outer.url, "redirects are not followed")
        assert not caught.retry
        assert inner.received == []


@pytest.mark.parametrize(
    ("status", "retry"),
    [(400, False), (401, False), (404, False), (410, False), (408, True), (429, True),
     (500, True), (503, True)],
)  # fmt: skip
def test_what_is_tried_again(status: int, retry: bool) -> None:
    with FakeReceiver(answer(status, b"no \x1b[2J\r\nway")) as receiver:
        caught = failing(receiver.url, f"answered {status}: no")
    assert caught.retry is retry
    assert caught.reason.isprintable()


def test_retry_after_in_both_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    for value, low, high in (("7", 7, 7), (soon, 60, 101), ("soon", None, None)):
        with FakeReceiver(answer(429, headers=[("retry-after", value)])) as receiver:
            wait = failing(receiver.url).retry_after_s
        assert wait is None if low is None else low <= (wait or 0) <= high


def test_one_that_hangs_is_left_in_time() -> None:
    with FakeReceiver(lambda *_: receiver.released.wait(20) and None) as receiver:
        assert failing(receiver.url, "no answer in time", timeout_s=0.2).retry


def test_an_address_that_leads_nowhere_does_not_hide_the_one_that_answers() -> None:
    with FakeReceiver() as receiver, blackhole(receiver.port) as dead:
        asked = Sender(allow_private=True, timeout_s=1, resolver=lambda *_: [dead, "127.0.0.1"])
        with asked as sender:
            sender.post(f"http://hooks.example:{receiver.port}/", b"x", {})
        assert [got.body for got in receiver.received] == [b"x"]
        with Sender(allow_private=True, timeout_s=0.2, resolver=lambda *_: [dead]) as sender:
            with pytest.raises(DeliveryError, match="no connection in time") as caught:
                sender.post(f"http://hooks.example:{receiver.port}/", b"x", {})
            assert caught.value.retry


@given(
    st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "9.9.9.9", "fd00::1", "fd00::2"]),
             min_size=1, unique=True),
    st.floats(0.1, 60),
)  # fmt: skip
def test_every_address_is_tried_and_all_of_them_in_time(found: list[str], timeout_s: float) -> None:
    clock, tried = [0.0], []
    with patch("alerts.notify.address.time.monotonic", lambda: clock[0]):
        for address, connect_s in tries(found, timeout_s):
            tried.append(address)
            assert connect_s > 0
            clock[0] += connect_s  # none of them answers
    assert sorted(tried) == sorted(found)
    assert tried[0] == found[0]  # as the system prefers
    assert clock[0] <= timeout_s * 1.001
    if len({":" in address for address in found}) == 2:
        assert (":" in tried[0]) != (":" in tried[1])


def test_an_endless_answer_is_cut() -> None:
    def pour(handler: BaseHTTPRequestHandler, _: Received) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not receiver.released.is_set():
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            return

    with FakeReceiver(pour) as receiver, Sender(allow_private=True, timeout_s=2) as sender:
        assert len(sender.post(receiver.url, b"", {}).body) <= 65_536


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert failing(url, "no connection").retry


def test_the_address_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with FakeReceiver(answer(500)) as receiver:
        caught = failing(f"{receiver.url}/bot12345:s3cretToken/sendMessage")
    assert "s3cretToken" not in caplog.text + str(caught) + repr(caught)
    assert caught.__cause__ is None
