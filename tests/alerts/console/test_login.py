"""Logging in: who may enter, what the cookie is like, and what another site cannot do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from alerts.console.show import POLICY
from alerts.sessions import LIFE_MS
from alerts.store.database import Database
from tests.alerts.console.visiting import HERE, Browser, Site
from tests.alerts.responding import first

ALERT = f"/alerts/{first().id}"
OPEN = {"/login", "/static/{named}"}


def routes(site: Site) -> list[tuple[str, str]]:
    """The console's own methods and paths."""
    found = [
        (method, str(route.path))
        for route in iter_route_contexts(site.app.routes)
        for method in sorted(route.methods or ())
        if not str(route.path).startswith(("/v1", "/health", "/metrics", "/openapi", "/ack"))
    ]
    assert len(found) > 15
    return found


def test_every_page_asks_for_a_login(site: Site) -> None:
    for method, path in routes(site):
        if path in OPEN:
            continue
        nobody = site.browser()
        at = re.sub(r"\{\w+\}", "x", path)
        answer = nobody.request(method, at, {"origin": HERE}, data={"x": "y"})
        if method == "GET" and path != "/live":
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login?next=%2F"), path
        elif method == "GET":
            assert answer.status_code == 303
        else:
            assert answer.status_code == 401, (method, path)
        nobody.cookies["nadhir-session"] = "WyJhZG1pbiIsOTk5OTk5OTk5OTk5OSwieCJd.forged"
        assert nobody.request(method, at, {"origin": HERE}).status_code in (303, 401), path


def test_a_session_lasts_for_a_shift_and_ends_with_its_token(site: Site) -> None:
    amal = site.browser("responder")
    assert amal.get("/").status_code == 200
    site.clock.now_ms += LIFE_MS - 1
    assert amal.get("/").status_code == 200
    site.clock.now_ms += 1
    assert amal.get("/").headers["location"] == "/login?next=%2F"
    omar = site.browser("viewer")
    assert omar.get("/").status_code == 200
    site.desk.tokens.revoke("viewer", by="test", now_ms=site.clock())
    assert omar.get("/").status_code == 303


def test_logging_out_ends_the_session_wherever_its_cookie_went(site: Site) -> None:
    amal = site.browser("responder")
    thief = site.browser()
    thief.cookies = dict(amal.cookies)
    assert thief.get("/").status_code == 200
    assert amal.send("/logout").headers["location"] == "/login"
    assert thief.get("/").status_code == 303


def test_the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(site: Site) -> None:
    local = Browser(site.app).send("/login", token=site.secrets["viewer"])
    cookie = local.headers["set-cookie"]
    assert cookie.startswith("nadhir-session=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    far = Browser(site.app, "https://nadhir.example")
    cookie = far.send("/login", token=site.secrets["viewer"]).headers["set-cookie"]
    assert cookie.startswith("__Host-nadhir=")
    for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    assert site.secrets["viewer"] not in cookie
    assert far.get("/").status_code == 200


def test_behind_a_proxy_with_tls_the_public_address_tells_that_it_is_encrypted(
    tmp_path: Path,
) -> None:
    site = Site(Database(tmp_path / "response.db"), public_url="https://nadhir.example")
    proxied = Browser(site.app, "http://nadhir.example")
    answer = proxied.send("/login", token=site.secrets["viewer"])
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-nadhir=")


def test_no_token_goes_over_a_line_in_the_clear(site: Site) -> None:
    far = Browser(site.app, "http://nadhir.example")
    assert 'type="password"' not in far.get("/login").text
    answer = far.send("/login", token=site.secrets["viewer"])
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_a_wrong_token_says_nothing_about_tokens_and_is_slowed_down(tmp_path: Path) -> None:
    from alerts.api import ApiOptions
    from alerts.console import create_app
    from tests.alerts.calling import Engine
    from tests.alerts.responding import desk

    app = create_app(desk(Database(tmp_path / "r.db")), Engine(), ApiOptions(rate_per_min=3))
    guesser = Browser(app)
    answers = [guesser.send("/login", token=f"nadhir_{n}") for n in range(5)]
    assert [a.status_code for a in answers] == [403, 403, 403, 429, 429]
    assert answers[0].text == answers[1].text
    assert int(answers[-1].headers["retry-after"]) > 0
    assert guesser.send("/login", token="مرحبا").status_code == 429


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil.example", "", "javascript:1"]
)
def test_logging_in_leads_to_no_other_site(site: Site, onward: str) -> None:
    answer = site.browser().send("/login", token=site.secrets["viewer"], next=onward)
    assert answer.headers["location"] == "/"
    page = site.browser("viewer").request("GET", "/login", params={"next": onward})
    assert page.headers["location"] == "/"


def test_after_the_login_one_is_where_one_wanted_to_be(site: Site) -> None:
    nobody = site.browser()
    answer = nobody.get(f"{ALERT}?lang=ar")
    page = nobody.get(answer.headers["location"])
    assert f'value="{ALERT}?lang=ar"' in page.text


def test_a_link_in_a_chat_leads_to_the_page_though_the_cookie_is_strict(site: Site) -> None:
    # the first request comes without the cookie; this site's own second one brings it along
    page = site.browser().get(ALERT, **{"sec-fetch-site": "cross-site"})
    assert page.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in page.text


# forms of others ------------------------------------------------------------------------------


def version(site: Site) -> int:
    return site.desk.alert(first().id).summary.version


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:9090"},
        {"origin": f"http://x@{HERE.partition('//')[2]}"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing(
    site: Site, amal: Browser, headers: dict[str, str]
) -> None:
    answer = amal.send(f"{ALERT}/acknowledge", headers, version="1")
    assert answer.status_code == 403
    assert version(site) == 1
    answer = site.browser().send("/login", headers, token=site.secrets["viewer"])
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_without_the_mark_of_its_session_does_nothing(site: Site, amal: Browser) -> None:
    omar = site.browser("admin")
    for mark in ("", "0" * 64, omar.mark(), "é"):
        for path in (f"{ALERT}/acknowledge", f"{ALERT}/comment", "/logout"):
            answer = amal.send(path, mark=mark, version="1", text="x")
            assert answer.status_code == 403, path
    assert version(site) == 1
    assert amal.get("/").status_code == 200
    assert amal.send(f"{ALERT}/acknowledge", version="1").status_code == 303


def test_only_forms_are_read(amal: Browser) -> None:
    def answer(content: bytes, kind: str = "application/x-www-form-urlencoded") -> int:
        headers = {"origin": HERE, "content-type": kind}
        return amal.request("POST", f"{ALERT}/comment", headers, content=content).status_code

    assert answer(b'{"text": "x"}', "application/json") == 415
    assert answer(b"text=x", "multipart/form-data; boundary=x") == 415
    assert answer(b"text=%ff") == 422
    assert answer(b"\xff") == 422
    assert answer(b"&".join(b"a=1" for _ in range(500))) == 422
    assert answer(b"text=" + b"x" * 70_000) == 413


def test_every_answer_forbids_what_pages_do_not_need(site: Site, amal: Browser) -> None:
    pages = [amal.get(path) for path in ("/", ALERT, "/nothing", "/alerts/none")]
    pages += [site.browser().get("/login"), amal.send(f"{ALERT}/comment", mark="x")]
    assert [p.status_code for p in pages] == [200, 200, 404, 404, 200, 403]
    for page in pages:
        assert page.headers["content-security-policy"] == POLICY
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["x-frame-options"] == "DENY"
        assert not re.search(r"<(?:script|style)\b(?![^>]*\bsrc=)[^>]*>", page.text)
        assert not re.search(r"<[^>]+\s(?:style|on\w+)=", page.text)
    assert "unsafe" not in POLICY
    assert "*" not in POLICY
    for quoted in re.findall(r'(?:src|href)="([^"]+)"', pages[0].text):
        assert quoted.startswith(("/", "#")), quoted


def test_files_may_be_kept_since_their_names_change_with_them(site: Site) -> None:
    page = site.browser().get("/login").text
    (css,) = re.findall(r'href="(/static/[^"]+\.css)"', page)
    answer = site.browser().get(css)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    for name in ("console.css", "../app.py", "..%2fapp.py", "htmx.LICENSE"):
        assert site.browser().get(f"/static/{name}").status_code == 404


# roles ----------------------------------------------------------------------------------------


def test_who_may_look_cannot_act(site: Site) -> None:
    viewer = site.browser("viewer")
    page = viewer.get(ALERT)
    assert page.status_code == 200
    assert f'action="{ALERT}' not in page.text
    for method, path in routes(site):
        if method == "POST" and path.startswith("/alerts/"):
            at = path.replace("{id}", first().id).replace("{message}", "holding:x:ar")
            at = re.sub(r"\{\w+\}", "x", at)
            assert viewer.send(at, version="1", text="x").status_code == 403, path
    assert version(site) == 1


def test_the_api_still_asks_for_its_own_token(amal: Browser) -> None:
    # a cookie opens no route of the API: its acts are safe from other sites for that reason
    assert amal.get("/v1/alerts").status_code == 401
    problem = amal.request("GET", "/v1/nothing", {"accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"
