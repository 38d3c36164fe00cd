"""Epochs, durations and dates: what is left is counted in the network's time."""

from dataclasses import replace
from pathlib import Path

import pytest
from cybervein_client.catalogue import Catalogue, DealEnd, DealState, FileRow, FileState
from cybervein_client.lasting.life import FileLife
from cybervein_client.lasting.notice import is_news, remember_told
from cybervein_client.lasting.outlook import due_in_epochs, next_price, outlook
from cybervein_client.ledger.fees import small_fees
from cybervein_client.lifetimes import (
    Life,
    NetworkTime,
    date_text,
    default_epochs,
    epochs_of,
    life_of,
    parse_duration,
    warn_epochs,
)
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import LOCAL, MAIN, TEST
from cybervein_runtime.durations import duration_text

DAY = 86_400
TIME = NetworkTime(epoch=100, now=1_000_450.0, ends=1_000_900.0, epoch_seconds=900)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), ("12h", 43_200), ("30d", 30 * DAY), (" 2W ", 14 * DAY), ("1y", 365 * DAY)],
)
def test_a_duration_has_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "1.5d", "30 days", "1h30m", "٣d"])
def test_what_is_no_duration_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(MalformedError, match="such as 12h or 30d"):
        parse_duration(text)


def test_epochs_last_at_least_as_long_as_was_asked_for() -> None:
    assert [epochs_of(seconds, 900) for seconds in (1, 900, 901)] == [1, 1, 2]


def test_main_pays_for_a_month_unless_told_otherwise() -> None:
    assert default_epochs(MAIN) * MAIN.epoch_seconds == 30 * DAY
    assert (default_epochs(TEST), default_epochs(LOCAL)) == (100, 100)


def test_a_deal_ends_with_the_beginning_of_its_epoch() -> None:
    assert TIME.begin_of(101) == TIME.ends
    assert TIME.seconds_until(102) == 450 + 900
    assert (TIME.seconds_until(100), TIME.seconds_until(7)) == (0, 0)
    assert [life_of(expires, 10, TIME) for expires in (100, 101, 104, None)] == [
        Life.EXPIRED,
        Life.EXPIRING,
        Life.STORED,
        Life.STORED,
    ]


def test_an_estimate_moves_on_by_whole_epochs_and_never_back() -> None:
    assert TIME.later(0).epoch == TIME.later(-500).epoch == 100
    assert (TIME.later(450).epoch, TIME.later(451).epoch, TIME.later(1351).epoch) == (100, 101, 102)
    assert TIME.later(451).begin_of(110) == TIME.begin_of(110)


def test_the_warning_comes_a_fifth_before_the_end_and_a_week_at_most() -> None:
    assert warn_epochs(2880, 900) == 576  # 30 days: 6
    assert warn_epochs(350_640, 900) * 900 == 7 * DAY
    assert warn_epochs(1, 900) == 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (3600, "1 h"),
        (3 * DAY + 7300, "3 d 2 h"),
        (400 * DAY, "1 y 35 d"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_date_says_that_it_is_utc() -> None:
    assert date_text(1_800_000_000) == "2027-01-15 08:00 UTC"


def life(name: str, expires: int, *, keep: int = 0, epochs: int = 100, kib: int = 4) -> FileLife:
    state = DealState.ENDED if expires <= TIME.epoch else DealState.ACTIVE
    file = FileRow(
        name, name, "/a", 1, 1, b"", 2, 3, epochs, FileState.STORED, "cid", 0, keep_epochs=keep
    )
    return FileLife(
        file, life_of(expires, epochs, TIME), TIME, (DealEnd(name, 0, "deal", state, expires, kib),)
    )


def test_a_wallet_that_will_not_pay_for_every_kept_file_is_told_long_before() -> None:
    price = next_price(life("any", 190, keep=100), TEST)
    assert price == 4 * 100 * TEST.price_veins_per_kib_epoch + small_fees(1, TEST)
    lives = [life("later", 190, keep=100), life("sooner", 180, keep=100), life("not kept", 190)]
    assert not outlook(lives, Veins(2 * price), TEST)
    seen = outlook(lives, Veins(2 * price - 1), TEST)
    assert seen.shortfall is not None
    assert (seen.shortfall.life.file.name, seen.shortfall.missing) == ("later", 1)
    assert (seen.expired, seen.expiring) == ([], [])


def test_what_ended_and_what_ends_soon_is_warned_of_but_not_what_will_be_renewed() -> None:
    late = life("nobody runs keep", 105, keep=100)
    lives = [life("ended", 99), life("soon", 110), life("kept", 119, keep=100), late]
    seen = outlook(lives, None, TEST)
    assert [each.file.name for each in seen.expired] == ["ended"]
    assert [each.file.name for each in seen.expiring] == ["soon", "nobody runs keep"]


def test_a_kept_file_is_due_when_it_would_be_called_expiring() -> None:
    assert due_in_epochs(life("due", 120, keep=100)) == 0
    assert due_in_epochs(life("soon", 122, keep=100)) == 2


def test_an_end_is_news_once_and_again_after_a_day(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    one, two = life("one", 90), life("two", 95)
    assert not is_news(catalogue, [])
    assert is_news(catalogue, [one])
    remember_told(catalogue, [one])
    assert not is_news(catalogue, [one])
    assert is_news(catalogue, [one, two])
    remember_told(catalogue, [one, two])
    assert not is_news(catalogue, [two])  # the other was put again, or removed
    assert is_news(catalogue, [life("one", 99)])  # and has ended again
    for days, news in ((0.5, False), (1, True), (-1, True)):
        later = replace(TIME, now=TIME.now + days * DAY)
        assert is_news(catalogue, [replace(two, time=later)]) is news
    catalogue.close()
