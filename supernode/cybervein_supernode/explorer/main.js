// Routes of the page, and refreshing: on live events, at most once a second.

import { get, listen } from "./api.js";
import { draw, setEpoch } from "./clock.js";
import { accountPage, blockPage, dealPage, epochPage, find, findCid, minerPage, unitPage } from "./details.js";
import { card, h } from "./dom.js";
import { feed, show } from "./feed.js";
import { setCoinDigits } from "./format.js";
import { blockTable, dealTable, epochChart, epochTable, figures, minerTable, overview } from "./overview.js";

const REFRESH_MS = 1000;
const POLL_MS = 15000;
const page = document.getElementById("page");
const live = document.getElementById("live");

const ROUTES = {
  "": () => overview(feed),
  miners: async () => [card("Miners", "measured, never pledged", minerTable((await get("/v1/miners")).miners))],
  epochs: async () => {
    const { epochs } = await get("/v1/epochs?limit=200");
    return [card("Epochs", "", epochChart(epochs), epochTable(epochs))];
  },
  blocks: async () => [card("Blocks", "newest first", blockTable((await get("/v1/blocks?limit=100")).blocks))],
  deals: async () => [card("Deals", "", dealTable((await get("/v1/deals?limit=500")).deals))],
  account: accountPage, miner: minerPage, epoch: epochPage, block: blockPage, unit: unitPage, deal: dealPage,
};

let drawing = false;
let again = false;

/** Fetch and draw the header and the current view; a refresh asked for meanwhile follows. */
async function refresh() {
  if (drawing) { again = true; return; }
  drawing = true;
  const here = location.hash;
  try {
    await header();
    const [name, argument] = here.replace(/^#\/?/, "").split("/");
    const view = await (ROUTES[name] || ROUTES[""])(argument);
    if (here === location.hash) page.replaceChildren(...view);
    document.querySelectorAll("nav a").forEach((a) => a.classList.toggle("here", a.dataset.page === name));
  } catch (error) {
    page.replaceChildren(h("section", { class: "card error", role: "alert" }, String(error.message || error)));
  } finally {
    drawing = false;
    if (again || here !== location.hash) { again = false; refresh(); }
  }
}

async function header() {
  const [network, { miners }] = await Promise.all([get("/v1/network"), get("/v1/miners")]);
  setCoinDigits(network.preset.coin_decimals);
  setEpoch(network);
  figures(network, miners);
  document.getElementById("identity").textContent = `${network.preset.name} network ${network.network}`;
}

let timer = null;

/** Refresh soon, once for many events. */
function soon() {
  timer ??= setTimeout(() => { timer = null; refresh(); }, REFRESH_MS);
}

document.getElementById("search").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = new FormData(event.target).get("q").trim();
  if (text) location.hash = find(text) ?? await findCid(text);
});
addEventListener("hashchange", refresh);
listen((kind, event) => { show(kind, event); soon(); }, (open) => {
  live.textContent = open ? "live" : "reconnecting";
  live.classList.toggle("on", open);
});
setInterval(draw, 250);
setInterval(soon, POLL_MS);
refresh();
