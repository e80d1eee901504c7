"""Allow and block lists that people keep while Nadhir runs: what an entry may say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from alerts.hostnames import ascii_domain
from alerts.playbook.records import Bilingual
from alerts.texts import Phrases
from models.records import Brand, Judgement, Listed, ListName

MOST_ENTRIES = 10_000  # of all brands together; each stage holds them in memory
_ONE_OF = ("handle", "account", "domain")
_HANDLE = re.compile(r"[\w.-]{1,100}\Z")
_PLATFORM = re.compile(r"[\w.-]{1,64}\Z")


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with an entry: the field, a stable code, and the sentence."""

    field: str
    code: str
    sentence: Bilingual


def tidy(listed: Listed) -> Listed:
    """An entry as it is kept: no @ before the handle, no spaces around."""
    return msgspec.structs.replace(
        listed,
        reason=listed.reason.strip(),
        handle=listed.handle and listed.handle.strip().removeprefix("@"),
        platform=listed.platform and listed.platform.strip(),
        account=listed.account and listed.account.strip(),
        domain=listed.domain and listed.domain.strip(),
    )


def meant(listed: Listed) -> tuple[str, str, str]:
    """Whom an entry is about, the same however it was written.

    Examples
    --------
    >>> say = {"owner": "Sara", "reason": "fans"}
    >>> meant(Listed(handle="Acme_Fans", **say))
    ('handle', '', 'acme_fans')
    >>> meant(Listed(domain="Acme-Fans.COM", **say))
    ('domain', '', 'acme-fans.com')
    """
    platform = (listed.platform or "").casefold()
    if listed.domain is not None:
        return "domain", "", ascii_domain(listed.domain)
    if listed.handle is not None:
        return "handle", platform, listed.handle.removeprefix("@").lower()
    return "account", platform, listed.account or ""


def check(
    one: Judgement, brand: Brand, others: Sequence[Judgement], now_ms: int, phrases: Phrases
) -> list[Fault]:
    """Everything wrong with an entry, before it is stored.

    Parameters
    ----------
    one : Judgement
        Tidy.
    brand : Brand
        Whose lists it is for, with the lists of the configuration.
    others : sequence of Judgement
        What holds of the brand beside those.
    now_ms : int
    phrases : Phrases
        The sentences of response.yaml.
    """
    return [
        Fault(field, code, _sentence(code, facts, phrases))
        for field, code, facts in _faults(one, brand, others, now_ms)
    ]


def _sentence(code: str, facts: dict[str, object], phrases: Phrases) -> Bilingual:
    if "list" not in facts:
        return phrases.say(f"lists.faults.{code}")
    name = phrases.say(f"lists.names.{facts['list']}")
    return phrases.say(f"lists.faults.{code}", {"owner": facts["owner"]}, list=name)


_Code = tuple[str, str, dict[str, object]]


def _faults(
    one: Judgement, brand: Brand, others: Sequence[Judgement], now_ms: int
) -> Iterator[_Code]:
    listed = one.listed
    if not listed.reason:
        yield "reason", "blank", {}
    if listed.until_ms is not None and listed.until_ms <= now_ms:
        yield "until", "over", {}
    named = [name for name in _ONE_OF if getattr(listed, name) is not None]
    if len(named) != 1:
        yield "handle", "one_of", {}
        return
    (name,) = named
    wrong = list(_unreadable(listed))
    if wrong:
        yield from wrong
        return
    what = meant(listed)
    own = set(_official(brand))
    if one.list == "block" and (what in own or (what[0], "", what[2]) in own):
        yield name, "own", {}  # a handle of the brand's is its own on every platform
    for list_, by in _said(what, brand, others):
        yield name, "listed", {"list": list_, "owner": by}


def _unreadable(listed: Listed) -> Iterator[_Code]:
    if listed.handle is not None and not _HANDLE.match(listed.handle):
        yield "handle", "no_handle", {}
    if listed.domain is not None and "." not in ascii_domain(listed.domain):
        yield "domain", "no_domain", {}
    if listed.account is not None and not listed.account:
        yield "account", "blank", {}
    if listed.platform is not None and not _PLATFORM.match(listed.platform):
        yield "platform", "no_platform", {}
    if listed.account is not None and listed.platform is None:
        yield "platform", "which_platform", {}
    if listed.domain is not None and listed.platform is not None:
        yield "platform", "any_platform", {}


def _official(brand: Brand) -> Iterator[tuple[str, str, str]]:
    yield from (("domain", "", ascii_domain(domain)) for domain in brand.domains)
    for account in brand.accounts:
        yield "account", account.platform.casefold(), account.id
        if account.handle:
            yield "handle", account.platform.casefold(), _bare(account.handle)
    handles = (*brand.handles, *((brand.support_handle,) if brand.support_handle else ()))
    yield from (("handle", "", _bare(handle)) for handle in handles)


def _said(
    what: tuple[str, str, str], brand: Brand, others: Sequence[Judgement]
) -> Iterator[tuple[ListName, str]]:
    """Lists that name the same already, and who says so."""
    for name, entries in (("allow", brand.allow), ("block", brand.block)):
        yield from (
            ("allow" if name == "allow" else "block", each.owner)
            for each in entries
            if meant(each) == what
        )
    yield from ((one.list, one.listed.owner) for one in others if meant(one.listed) == what)


def _bare(handle: str) -> str:
    return handle.removeprefix("@").lower()
