"""The explorer page in Chromium, over a real network with a stored file."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser, chromium
from cybervein_protocol.amounts import coins
from cybervein_protocol.signing import address
from up_process import cybervein, up
from waiting import DEADLINE_SECONDS, until

pytestmark = [pytest.mark.pages, pytest.mark.timeout(900)]

MINERS = 4


class World:
    """A network that stores one file, and its explorer in a browser."""

    def __init__(self, url: str, browser: Browser) -> None:
        self.url, self.browser = url, browser

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read())

    def open(self, place: str = "") -> Browser:
        """A page of the explorer, once it is drawn."""
        self.browser.open("about:blank")
        self.browser.errors()  # those of earlier pages are theirs
        self.browser.open(f"{self.url}/#/{place}")
        self.browser.until(lambda: self.browser.count("main .card"))
        return self.browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("pages")
    file = folder / "letter.txt"
    file.write_bytes(b"dear miners\n" * 10_000)
    flags = ("--miners", str(MINERS), "--plots", "1", "--epoch-seconds", "4")
    with up(folder / "net", *flags) as running, chromium(folder / "profile") as browser:
        put = cybervein(folder / "net" / "wallet", "put", str(file))
        assert put.returncode == 0, put.stderr
        yield World(running.url("supernode"), browser)


def test_the_first_view_shows_miners_deals_blocks_and_the_open_epoch(world: World) -> None:
    page = world.open()
    page.until(lambda: page.text("#live") == "live")
    page.until(lambda: "Measured space" in page.text("#figures"))
    for title in ("Miners", "Deals", "Blocks", "Right now"):
        assert title in page.text("main")
    assert "supply balanced" in page.text("#figures")
    assert f"of {MINERS}" in page.text("#figures")
    assert page.errors() == []


def test_the_page_follows_the_network_automatically(world: World) -> None:
    page = world.open()
    page.until(lambda: page.text("#epoch").isdigit())
    epoch = int(page.text("#epoch"))
    page.until(lambda: int(page.text("#epoch")) > epoch)
    page.until(lambda: "closed" in page.text(".feed"))
    assert page.errors() == []


def test_every_miner_has_a_row_and_a_page_of_its_own(world: World) -> None:
    page = world.open("miners")
    page.until(lambda: page.count("main tbody tr") == MINERS)
    miner = world.get("/v1/miners")["miners"][0]
    page = world.open(f"miner/{miner['address']}")
    page.until(lambda: miner["payout"] in page.text("main"))
    assert miner["url"] in page.text("main")
    assert "Plot batches" in page.text("main")
    assert page.errors() == []


def test_a_deal_shows_where_its_shards_are(world: World) -> None:
    [deal] = world.get("/v1/deals")["deals"]
    page = world.open("deals")
    page.until(lambda: page.count("main tbody tr") == 1)
    page.click("main tbody a")
    page.until(lambda: deal["deal"] in page.text("main"))
    page.until(lambda: page.count("main tbody tr") == deal["n"] * deal["segments"])
    assert f"any {deal['k']} of {deal['n']} shards" in page.text("main")
    assert page.errors() == []


def test_blocks_and_their_units_can_be_read(world: World) -> None:
    block = world.get("/v1/blocks/1")
    page = world.open("block/1")
    page.until(lambda: block["app_hash"] in page.text("main"))
    page.click("main tbody a")
    page.until(lambda: "As signed" in page.text("main"))
    assert page.errors() == []


def test_closed_epochs_tell_who_contributed(world: World) -> None:
    page = world.open("epochs")
    page.until(lambda: page.count("main tbody tr") >= 1)
    until(lambda: world.get("/v1/epochs")["open"] > 1, "epoch 1 is closed")
    page = world.open("epoch/1")
    page.until(lambda: "Contributions" in page.text("main"))
    assert page.errors() == []


def test_search_finds_heights_miners_deals_and_says_what_it_does_not_know(world: World) -> None:
    page = world.open()
    page.search("2")
    page.until(lambda: "Block 2" in page.text("main"))
    miner = world.get("/v1/miners")["miners"][0]["address"]
    page.search(miner)
    page.until(lambda: "Plot batches" in page.text("main"))
    assert miner in page.text("main")
    deal = world.get("/v1/deals")["deals"][0]["deal"]
    page.search(deal)
    page.until(lambda: "Shards" in page.text("main"))
    page.search("bafyreinosuchthing")
    page.until(lambda: page.count("main .error") == 1)


def test_search_finds_accounts_with_what_they_have_and_store(world: World) -> None:
    [deal] = world.get("/v1/deals")["deals"]
    page = world.open()
    page.search(deal["owner"])
    page.until(lambda: "Deals of this account" in page.text("main"))
    assert deal["owner"] in page.text("main")
    balance = world.get(f"/v1/accounts/{deal['owner']}")["balance"]
    assert f"{coins(balance, 9)} coins" in page.text("main")
    page.click("main tbody a")
    page.until(lambda: deal["deal"] in page.text("main"))
    page = world.open("account/" + address(b"n" * 32))
    page.until(lambda: "It stores nothing." in page.text("main"))
    assert page.errors() == []


def test_what_miners_say_of_themselves_is_shown_as_text_only(world: World) -> None:
    page = world.open("miners")
    page.until(lambda: page.count("main tbody tr") == MINERS)
    assert page.count("main script, main iframe, main img") == 0


def test_page_after_page_keeps_no_connection_of_the_browser_busy(world: World) -> None:
    # Chromium opens six connections to one server; a page left behind must give its own back.
    for _ in range(8):
        world.open("miners")
    assert world.browser.errors() == []
