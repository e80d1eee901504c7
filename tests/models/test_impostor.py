"""Accounts that pose as a brand, those that do not, and that nothing raises."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality.lookalikes import BRANDS as IMITATED
from benchmarks.quality.lookalikes import look_alikes
from models.impersonation.brand_names import names_of
from models.impersonation.findings import BALANCED, NOTHING
from models.impersonation.impostor import WEIGHTS, ImpostorChecker
from models.impersonation.intent import intents
from models.impersonation.likeness import NameIndex
from models.impersonation.links import LinkChecker
from models.records import Author, Brand, OfficialAccount

BRANDS = (
    Brand(id="rajhi", names=("Al Rajhi Bank", "مصرف الراجحي"), handles=("alrajhibank",),
          accounts=(OfficialAccount(platform="x", id="77", handle="alrajhicare"),)),
    Brand(id="acme", names=("Acmezon", "أكميزون"), handles=("acmezon", "acmezon_sa")),
    Brand(id="line", names=("LINE",), handles=("LINEjp_official",)),
)  # fmt: skip
CHECKER = ImpostorChecker(BRANDS)
INDEX = NameIndex(names_of(BRANDS))
SEEN = datetime(2026, 3, 1, tzinfo=UTC)


def account(handle: str, name: str = "", **rest: object) -> Author:
    return Author(id="1", handle=handle, name=name, **rest)  # type: ignore[arg-type]


POSING = [
    (account("acmezon_support", "Support"), "acme", "handle_support"),
    (account("AcmezonHelp"), "acme", "handle_support"),
    (account("acmezon_refunds"), "acme", "handle_credential"),
    (account("acmezonn"), "acme", "handle_homoglyph"),
    (account("acmezno"), "acme", "handle_typo"),
    (account("acmez0n"), "acme", "handle_homoglyph"),
    (account("аcmezon"), "acme", "handle_homoglyph"),  # a Cyrillic letter
    (account("acmezon__"), "acme", "handle_same"),
    (account("acmezon2024"), "acme", "handle_padded"),
    (account("خدمة_العملاء_أكميزون"), "acme", "handle_support"),
    (account("أكميزون_رسمي"), "acme", "handle_support"),
    (account("u88213", "Acmezon"), "acme", "name_same"),
    (account("u88213", "Acmezon Customer Care"), "acme", "name_support"),
    (account("u88213", "Асmezon"), "acme", "name_homoglyph"),
    (account("u88213", "𝐀𝐜𝐦𝐞𝐳𝐨𝐧"), "acme", "name_homoglyph"),
    (account("u88213", "Ac\u200bmezon"), "acme", "hidden_characters"),
    (account("u88213", "خدمة عملاء مصرف الراجحي"), "rajhi", "name_support"),
    (account("u88213", "مصرف الراجحى"), "rajhi", "name_homoglyph"),
    (account("u88213", "مصـــرف الراجحي"), "rajhi", "name_homoglyph"),
    (account("u88213", "ﻣﺼﺮﻑ ﺍﻟﺮﺍﺟﺤﻲ"), "rajhi", "name_homoglyph"),
    (account("u88213", "\u202eمصرف الراجحي\u202c"), "rajhi", "hidden_characters"),
    (account("u88213", "الدعم الفني - مصرف الراجحي"), "rajhi", "name_support"),
    (account("al_rajhi_bank_help"), "rajhi", "handle_support"),
    (account("u88213", "دعم اكمزون"), "acme", "name_support"),
    (account("linejp_0fficial"), "line", "handle_homoglyph"),
]


@pytest.mark.parametrize(("author", "brand", "code"), POSING)
def test_an_impostor_is_named_with_its_reason(author: Author, brand: str, code: str) -> None:
    found = CHECKER.check(author)
    assert found.brand == brand
    assert found.score >= BALANCED, found
    assert code in [reason.code for reason in found.reasons]


HONEST = [
    # fans
    account("acmezon_fans", "Acmezon Fans"),
    account("AcmezonFanPage", "Acmezon ❤", bio="Fan page, not affiliated with Acmezon"),
    account("u1", "محبي أكميزون", bio="حساب معجبين غير رسمي"),
    account("u1", "رابطة عشاق أكميزون"),
    # parodies that say so
    account("acmezon_help_", "Acmezon Help (Parody)"),
    account("Acmezonn", "Acmezon", bio="Parody. Not the real one, obviously."),
    account("u1", "مصرف الراجحي", bio="حساب ساخر لا يمثل المصرف"),
    account("AcmezonSupport", "Acmezon Support", bio="محاكاة ساخرة"),
    # regional official accounts
    account("acmezon_uae", "Acmezon UAE", verified=True, followers=120_000),
    account("AcmezonEgypt", "Acmezon Egypt", verified=False, followers=45_000),
    account("u1", "أكميزون مصر", verified=True, followers=800_000),
    account("alrajhibank_kw", "Al Rajhi Bank Kuwait", verified=True, followers=9_000),
    # journalists, employees, people who have the name
    account("sara_writes", "Sara Ahmed | Acmezon", bio="Journalist, I cover Acmezon"),
    account("k_alrajhi", "خالد الراجحي", bio="مهتم بالشعر"),
    account("mohammed_alrajhi", "Mohammed Al Rajhi"),
    account("j_doe", "Jane Doe (ex-Acmezon)", bio="Engineer. Opinions my own."),
    account("u1", "صحفي أكميزون", bio="صحفي اقتصادي"),
    account("acmezon_editor", "Omar at Acmezon", bio="Reporter, views are my own"),
    # people who talk about it
    account("acmezon_news", "Acmezon News"),
    account("AcmezonStock", "Acmezon stock watch"),
    account("ضحايا_أكميزون", "ضحايا أكميزون"),
    account("boycott_acmezon", "Boycott Acmezon"),
    account("acmezon_deals", "Deals on Acmezon"),
    # what only shares letters
    account("online_shop", "Online"), account("airlines_fan", "Airline"),
    account("linesman", "Offline"), account("acme", "Acme"), account("mezon", "Mezon"),
    account("مصرف_الزيت", "مصرف الزيت"), account("", ""), account("😀", "😀😀"),
]  # fmt: skip


@pytest.mark.parametrize("author", HONEST, ids=lambda a: f"{a.handle} {a.name}")
def test_an_honest_account_is_not_flagged_at_balanced(author: Author) -> None:
    found = CHECKER.check(author)
    assert found.score < BALANCED, found


OTHERS = (
    Brand(id="murjan", names=("Murjan Bank", "بنك المرجان"), handles=("murjanbank",),
          domains=("murjanbank.com",)),
    Brand(id="yusr", names=("Yusr", "يسر"), handles=("yusr_sa",)),
    Brand(id="itlala", names=("Itlala", "إطلالة"), handles=("itlala",)),
    Brand(id="khozama", names=("Khozama Hotels", "فنادق خزامى"), handles=("khozama",)),
    Brand(id="horizon", names=("Horizon Air",), handles=("horizon",)),
    Brand(id="kag", names=("Kagmar",), handles=("kagmar", "kagmar_login")),
    Brand(id="aaa", names=("AAA",), handles=("aaa",)),
    Brand(id="nahlat", names=("Nahlat", "Nahlat Care"), handles=("nahlat",)),
)  # fmt: skip
LINKED = ImpostorChecker(OTHERS, links=LinkChecker(OTHERS))
FALSE_LINK, OWN_LINK = "https://murjanbank-help.top/", "https://murjanbank.com/help"


def named(name: str, **rest: object) -> Author:
    return account("u88213", name, **rest)


TRICKED = [
    # one letter again and again
    (account("murjaaaaanbank"), "murjan", "handle_same"),
    (named("Murrrrjan Bank"), "murjan", "name_same"),
    (named("بنك المرجاااان"), "murjan", "name_homoglyph"),
    (account("aaa_help"), "aaa", "handle_support"),  # whose name is written so
    # text that is shown from the other side
    (named("\u202eknaB najruM\u202c"), "murjan", "name_homoglyph"),
    (named("\u202dناجرملا كنب\u202c"), "murjan", "name_homoglyph"),
    (named("\u202d\u202eknaB najruM"), "murjan", "name_homoglyph"),
    # letters in squares and circles, and those of which two are a flag
    (named("🄼🅄🅁🄹🄰🄽 🄱🄰🄽🄺"), "murjan", "name_homoglyph"),
    (named("🅜🅤🅡🅙🅐🅝 🅑🅐🅝🅚"), "murjan", "name_homoglyph"),
    (named("🅼🆄🆁🅹🅰🅽 Bank"), "murjan", "name_homoglyph"),
    (named("🇲\u200b🇺\u200b🇷\u200b🇯\u200b🇦\u200b🇳 Bank"), "murjan", "name_homoglyph"),
    (named("🇰 🇦 🇬 🇲 🇦 🇷"), "kag", "name_homoglyph"),
    # words in another order, with an article or without, another word for a bank
    (named("Air Horizon"), "horizon", "name_same"),
    (named("خزامى فنادق"), "khozama", "name_homoglyph"),
    (named("فنادق الخزامى"), "khozama", "name_homoglyph"),
    (named("بنك مرجان"), "murjan", "name_homoglyph"),
    (named("مصرف المرجان"), "murjan", "name_homoglyph"),
    # both names
    (named("Yusr يسر"), "yusr", "name_homoglyph"),
    (named("إطلالة | Itlala"), "itlala", "name_homoglyph"),
    # words of support: with what is attached in front, with digits, in Latin letters
    (named("خدمة عملاء لبنك المرجان"), "murjan", "name_support"),
    (named("العناية بعملاء إطلالة"), "itlala", "name_support"),
    (named("خدمة عملاء ليسر"), "yusr", "name_support"),
    (named("Itlala Support 24"), "itlala", "name_support"),
    (named("خدمة عملاء إطلالة ٢٤"), "itlala", "name_support"),
    (account("itlala_help2"), "itlala", "handle_support"),
    (account("itlalateamsupport118"), "itlala", "handle_support"),
    (account("itlala_5edma"), "itlala", "handle_support"),
    (named("Itlala Khedmat 3omala"), "itlala", "name_support"),
    (named("Nahlat Care UAE"), "nahlat", "name_support"),  # though the brand has such a name
    (named("Kagmar Login UAE"), "kag", "name_credential"),  # or such a handle
    # a desk without a name
    (named("Customer Care", bio="Murjan Bank, at your service"), "murjan", "biography_names"),
    (named("خدمة العملاء", bio="نساعد عملاء بنك المرجان"), "murjan", "name_of_a_desk"),
    (named("Customer Care", bio="Yusr"), "yusr", "biography_names"),  # four letters
    (named("Customer Care", url=FALSE_LINK), "murjan", "links_to_look_alike"),
    (named("خدمة العملاء", url=FALSE_LINK), "murjan", "name_of_a_desk"),
    (account("murjan_group", "Murjan Group", url=FALSE_LINK), "murjan", "links_to_look_alike"),
    # others
    (account("hori2on"), "horizon", "handle_homoglyph"),
    (account("murjanbank_eg", "Murjan Bank Egypt", bio="Official account of Murjan Bank Egypt"),
     "murjan", "claims_to_be_official"),
]  # fmt: skip


@pytest.mark.parametrize(("author", "brand", "code"), TRICKED)
def test_a_trick_is_seen_through(author: Author, brand: str, code: str) -> None:
    found = LINKED.check(author)
    assert found.brand == brand
    assert found.score >= BALANCED, found
    assert code in [reason.code for reason in found.reasons]


SPARED = [
    named("knaB najruM"), account("aaaa_help"), account("a_help"),
    # flags
    named("Ali 🇸🇦"), named("K 🇸🇦🇪🇬"), named("🇰🇦🇬🇲🇦🇷"), named("K 🇦🇬 Mar"),
    # who has a name that sounds so
    account("talal", "طلال"), named("طلال خدمة العملاء"), account("hazem", "حازم"),
    named("حازم خدمة العملاء"), named("Yusr Ahmed"),
    # other companies
    account("almurjan_group", "Al Murjan Group", bio="Official account of Al Murjan Group"),
    named("مجموعة المرجان", bio="الحساب الرسمي لمجموعة المرجان"), named("شركة المرجان"),
    # regional accounts
    account("murjanbank_eg"),
    account("murjanbank_eg", "Murjan Bank Egypt", verified=True, followers=90_000,
            bio="Official account of Murjan Bank Egypt"),
    account("murjanbank_eg", "بنك المرجان مصر", verified=True, followers=90_000,
            bio="الحساب الرسمي لبنك المرجان في مصر"),
    # desks of others, and others who speak of the brand
    named("خدمة العملاء"), named("Customer Care", bio="We help you. DM us"),
    named("Customer Care", bio="Kagmarville hotels"),
    named("Customer Care", bio="On the horizon"), named("Customer Care", url=OWN_LINK),
    named("Customer Care", url="https://example.com/murjanbank"),
    named("Jane", bio="Murjan Bank, at your service"), named("Jane", url=FALSE_LINK),
    named("Customer Jane", bio="I bank with Murjan Bank"),
]  # fmt: skip


@pytest.mark.parametrize("author", SPARED, ids=lambda a: f"{a.handle} {a.name} {a.bio}")
def test_what_is_no_trick_is_not(author: Author) -> None:
    found = LINKED.check(author)
    assert found.score < BALANCED, found


@pytest.mark.parametrize("name", ["Ali 🇸🇦", "K 🇸🇦🇪🇬", "🇰🇦🇬🇲🇦🇷", "Jane", "خدمة العملاء"])
def test_flags_and_desks_alone_are_nobody(name: str) -> None:
    assert LINKED.check(named(name)) == NOTHING


def test_three_consonants_say_less_than_four() -> None:
    (talal,) = LINKED.check(named("طلال")).reasons
    (netflix,) = (
        ImpostorChecker([Brand(id="n", names=("Netflix",))]).check(named("نتفليكس")).reasons
    )
    assert (talal.code, netflix.code) == ("name_sound", "name_sound")
    assert talal.weight == pytest.approx(0.7 * netflix.weight)


def test_of_the_names_in_a_handle_the_longest_counts() -> None:
    (reason,) = LINKED.check(account("murjanbank_eg")).reasons
    assert reason.code == "handle_place"  # not murjan beside bank


def test_a_link_is_judged_where_the_checker_judges_links() -> None:
    desk = named("Customer Care", url=FALSE_LINK)
    assert ImpostorChecker(OTHERS).check(desk) == NOTHING
    assert LINKED.check(desk).score >= BALANCED
    stranger = account("jane_doe", "Jane Doe", url=FALSE_LINK)
    assert LINKED.check(stranger) == NOTHING  # a link alone makes nobody an impostor


def test_of_many_those_are_found_that_are_found_alone() -> None:
    authors = [*(author for author, *_ in TRICKED), *SPARED]
    checker = ImpostorChecker(OTHERS, links=LinkChecker(OTHERS))
    assert checker.check_many(authors) == [LINKED.check(author) for author in authors]
    assert checker.check_many(authors) == [LINKED.check(author) for author in authors]


def test_official_accounts_are_known_by_handle_and_by_id() -> None:
    assert CHECKER.check(account("AlRajhiBank", "مصرف الراجحي")) == NOTHING
    renamed = Author(id="77", handle="rajhi_support", name="Al Rajhi Support")
    assert CHECKER.check(renamed, platform="x") == NOTHING
    assert CHECKER.check(renamed, platform="instagram").score >= BALANCED
    assert CHECKER.check(renamed).score >= BALANCED


def test_who_resembles_nobody_has_no_brand() -> None:
    assert CHECKER.check(account("jane_doe", "Jane", verified=False, followers=3)) == NOTHING


def test_circumstances_add_to_a_likeness_and_say_nothing_alone() -> None:
    plain = account("acmezon_app", "Acmezon App")
    young = account("acmezon_app", "Acmezon App", created_at=SEEN - timedelta(days=3),
                    verified=False, followers=2)  # fmt: skip
    assert CHECKER.check(young, at=SEEN).score > CHECKER.check(plain, at=SEEN).score
    stranger = account("stranger", "Stranger", created_at=SEEN, verified=False, followers=0)
    assert CHECKER.check(stranger, at=SEEN) == NOTHING


def test_copied_pictures_and_biographies_count() -> None:
    checker = ImpostorChecker(BRANDS)
    bio = "Official account of Acmezon. We are here to help you every day."
    own = account("acmezon", "Acmezon", bio=bio, avatar_phash="f0e1d2c3b4a59687")
    thief = account("shop_4411", "Acmezon App", bio=bio, avatar_phash="f0e1d2c3b4a59686")
    before = checker.check(thief)
    checker.learn(own)
    after = checker.check(thief)
    assert after.score > max(before.score, BALANCED)
    assert {"avatar_copied", "biography_copied"} <= {r.code for r in after.reasons}
    other = account("shop_4411", "Acmezon App", bio="I sell old books", avatar_phash="0" * 16)
    assert checker.check(other).score < BALANCED


def test_a_sudden_rename_counts() -> None:
    author = account("acmezon_app", "Acmezon App")
    found = CHECKER.check(author, earlier_handle="crypto_king_99")
    assert found.score > CHECKER.check(author).score
    assert "renamed" in {reason.code for reason in found.reasons}


def test_generated_look_alikes_are_found() -> None:
    checker = ImpostorChecker(IMITATED, links=LinkChecker(IMITATED))
    made = list(look_alikes(rounds=2, seed=11))
    hits = sum(
        (found := checker.check(each.author)).score >= BALANCED and found.brand == each.brand
        for each in made
    )
    assert len(made) > 500
    assert hits / len(made) >= 0.95


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Please DM us your card number", {"asks_direct_message", "asks_card"}),
        ("Send the verification code to get your refund", {"asks_code", "offers_refund"}),
        ("Click here and enter your password", {"asks_link", "asks_password"}),
        ("pay a fee in bitcoin first", {"asks_money"}),
        ("عزيزي العميل راسلنا على الخاص برقم البطاقة", {"asks_direct_message", "asks_card"}),
        ("أرسل رمز التحقّق لاسترداد المبلغ", {"asks_code"}),
        ("اضغط على الرابط وأدخل كلمة المرور", {"asks_link", "asks_password"}),
        ("Decode this: the codec is broken", set()),
        ("الخدمة سيئة جدا والتطبيق لا يعمل", set()),
        ("", set()),
    ],
)
def test_intents_are_named(text: str, codes: set[str]) -> None:
    (found,) = intents([text])
    assert codes <= {reason.code for reason in found.reasons}
    assert bool(found.reasons) == bool(codes)


def test_replying_to_a_complainer_makes_an_ask_worse() -> None:
    texts = ["DM us for your refund", "so sorry to hear that"]
    alone = intents(texts)
    fishing = intents(texts, to_complainers=[True, True])
    assert fishing[0].score > alone[0].score
    assert fishing[1].score == 0


anything = st.one_of(st.none(), st.text(max_size=300))


@given(anything, anything, anything, anything)
def test_no_field_raises(
    handle: str | None, name: str | None, bio: str | None, avatar: str | None
) -> None:
    author = Author(id="1", handle=handle, name=name, bio=bio, avatar_phash=avatar)
    checker = ImpostorChecker(BRANDS)
    checker.learn(account("acmezon", "Acmezon", bio="one two three four five six",
                          avatar_phash="zz"))  # fmt: skip
    for found in (checker.check(author, at=SEEN), *intents([name or "", bio or ""])):
        assert 0 <= found.score < 1
        assert all(r.code in WEIGHTS or r.code.split("_")[0] in ("asks", "offers")
                   for r in found.reasons)  # fmt: skip


shown = st.one_of(
    st.none(),
    st.text(max_size=120),
    st.builds(
        "".join,
        st.lists(
            st.sampled_from((
                "acmezon", "Acmez0n", "acmzeon", "أكميزون", "اكميزن", "аcmezon", " ", "_", "@",
                "\n", "help", "خدمة", "العملاء", "24", "٢٤", "al ", "x", "\u200b", "é", "★",
                " " * 60, "acmezzzon", "أكميزووون", "nozemca", "\u202e", "\u202d", "\u202c",
                "🄰🄲🄼🄴🅉🄾🄽", "🇦", "🅒mezon", "الراجحي", "راجحي", "مصرف", "بنك", "لأكميزون", "2",
            )),
            max_size=6,
        ),
    ),
)  # fmt: skip


@given(st.lists(st.tuples(shown, shown), max_size=30))
def test_many_are_judged_as_one_by_one(names: list[tuple[str | None, str | None]]) -> None:
    authors = [account(handle, name) for handle, name in names]
    alone = [ImpostorChecker(BRANDS, INDEX).check(author) for author in authors]
    checker = ImpostorChecker(BRANDS, INDEX)
    assert checker.check_many(authors) == alone
    assert checker.check_many(authors) == alone  # what is remembered is the same


def test_look_alikes_are_candidates_and_strangers_are_not() -> None:
    checker = ImpostorChecker(IMITATED)
    made = [each.author for each in look_alikes(rounds=1, seed=5)]
    strangers = [account(f"jane_{i}", f"Jane Doe {i}") for i in range(50)]
    found = checker.candidates([*strangers, *made])
    assert [i for i in found if i < len(strangers)] == []
    assert all(i in found for i, each in enumerate(made, 50) if checker.check(each).score)


@pytest.mark.parametrize(
    ("brand", "heard"),
    [("نتفليكس", "netflix"), ("نتفليكس", "Netflix help"), ("Netflix", "نتفليكس"),
     ("Netflix", "خدمة نتفليكس")],
)  # fmt: skip
def test_of_many_a_name_is_heard_in_the_other_script(brand: str, heard: str) -> None:
    checker = ImpostorChecker([Brand(id="n", names=(brand,))])
    strangers = [account(f"jane_{i}", "منى") for i in range(9)]
    *others, found = checker.check_many([*strangers, account("x", heard)])
    assert set(others) == {NOTHING}
    assert found == ImpostorChecker([Brand(id="n", names=(brand,))]).check(account("x", heard))
    assert found.score > 0


def test_long_names_are_not_remembered() -> None:
    checker = ImpostorChecker(BRANDS)
    for author in (account("x" * 256, "y" * 1_000), account("stranger", "nobody")):
        assert checker.check(author) == NOTHING
        assert checker.check_many([author]) == [NOTHING]
    assert checker._quiet_handles == {"stranger"}
    assert checker._quiet_names == {"nobody"}


def test_a_copied_picture_makes_anybody_a_candidate() -> None:
    checker = ImpostorChecker(BRANDS)
    stranger = account("jane", "Jane", avatar_phash="f0e1d2c3b4a59687")
    assert checker.candidates([stranger] * 9) == list(range(9))  # so few are not worth a batch
    checker.check(stranger)
    assert checker.candidates([stranger] * 9) == []
    checker.learn(account("acmezon", "Acmezon", avatar_phash="f0e1d2c3b4a59687"))
    assert checker.candidates([stranger] * 9) == list(range(9))


@pytest.mark.parametrize("char", ["a", "acmezon", "م", "ـ", "\u202e", "acmezon support ", "ﷺ", "1"])
def test_long_fields_cost_no_more_than_a_millisecond_or_so(char: str) -> None:
    CHECKER.check(account("warm", "warm"))
    authors = [account(f"{i}{char * 256}", char * 1024, bio=char * 10_000) for i in range(20)]
    began = time.perf_counter()
    for author in authors:
        CHECKER.check(author, at=SEEN)
    assert (time.perf_counter() - began) / len(authors) < 5e-3  # a busy machine; below 1 ms alone
