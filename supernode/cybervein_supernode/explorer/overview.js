// The first view: figures, miners, epochs, and what happens right now.

import { get } from "./api.js";
import { blockLink, dealLink, epochLink, minerLink, presence, score, shareBar, standing, state } from "./cells.js";
import { card, h, link, svg, table } from "./dom.js";
import { bytes, coins, count, rate } from "./format.js";

/** The figures beside the epoch's ring. */
export function figures(network, miners) {
  const online = miners.filter((miner) => miner.online).length;
  const sum = (name) => miners.reduce((total, miner) => total + miner[name], 0);
  const pairs = [
    ["Measured space", bytes(sum("space_bytes")), `${count(sum("plots_active"))} plots`],
    ["Measured bandwidth", rate(sum("bytes_per_second")), ""],
    ["Miners online", `${online}`, `of ${miners.length}`],
    ["Customer data", bytes(sum("held_kib") * 1024), `${count(sum("held_shards"))} shards`],
    ["Minted", coins(network.supply.minted), "coins"],
    ["Bonded", coins(network.supply.bonded), "coins"],
    ["Burnt", coins(network.supply.burnt), "coins"],
    ["Block height", count(network.height), network.supply.balanced ? "supply balanced" : "SUPPLY OFF"],
  ];
  const items = pairs.map(([name, value, note]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value, note ? h("small", {}, note) : null)));
  document.getElementById("figures").replaceChildren(...items);
}

/** The table of miners. */
export function minerTable(miners) {
  const columns = [
    ["Miner"], ["Domain"], ["State"], ["Plots", "num"], ["Space", "num"], ["Bandwidth", "num"],
    ["Weight"], ["Score", "num"], ["Last audit"], ["Held", "num"], ["Rewards", "num"], ["Fees", "num"],
  ];
  const rows = [...miners].sort((a, b) => b.weight - a.weight).map((miner) => [
    minerLink(miner.address), `${miner.group} / ${miner.owner}`, presence(miner),
    count(miner.plots_active), bytes(miner.space_bytes), rate(miner.bytes_per_second),
    shareBar(miner.weight_share), score(miner), state(miner.last_audit),
    bytes(miner.held_kib * 1024), coins(miner.rewards), coins(miner.fees),
  ]);
  return table(columns, rows, "No miner has registered yet. Start one with: cybervein mine --network network.json");
}

/** Bars of what each epoch minted, oldest first; an epoch with a failed audit has a red foot. */
export function epochChart(epochs) {
  const bars = [...epochs].reverse();
  const highest = Math.max(1, ...bars.map((epoch) => epoch.minted));
  const width = 640 / Math.max(20, bars.length);
  const shapes = bars.flatMap((epoch, i) => {
    const height = (118 * epoch.minted) / highest;
    const spot = { x: i * width + 1, width: Math.max(1, width - 2) };
    const title = svg("title", {}, `epoch ${epoch.epoch}: ${coins(epoch.minted)} minted, ${epoch.proofs} proofs`);
    const bar = svg("rect", { ...spot, y: 122 - height, height: Math.max(height, 1), rx: 2 }, title);
    const failed = (epoch.audits.wrong || 0) + (epoch.audits.timeout || 0);
    return failed ? [bar, svg("rect", { ...spot, class: "miss", y: 124, height: 4, rx: 2 })] : [bar];
  });
  const label = bars.length ? `epochs ${bars[0].epoch} to ${bars.at(-1).epoch}, reward minted per epoch` : "";
  const drawing = svg("svg", { class: "chart", viewBox: "0 0 640 130", preserveAspectRatio: "none", role: "img" }, ...shapes);
  return [drawing, h("p", { class: "caption" }, label)];
}

/** The table of closed epochs. */
export function epochTable(epochs) {
  const columns = [["Epoch"], ["Miners", "num"], ["Proofs", "num"], ["Audits"], ["Minted", "num"], ["Fees", "num"]];
  const rows = epochs.map((epoch) => [
    epochLink(epoch.epoch), count(epoch.miners), count(epoch.proofs),
    h("span", {}, Object.entries(epoch.audits).flatMap(([name, number]) => [state(name), ` ${number} `])),
    coins(epoch.minted), coins(epoch.fees),
  ]);
  return table(columns, rows, "No epoch has closed yet.");
}

/** The table of engine blocks. */
export function blockTable(blocks) {
  const columns = [["Height"], ["Epoch", "num"], ["Units", "num"], ["Void", "num"], ["State hash"]];
  const rows = blocks.map((block) => [
    blockLink(block.height), epochLink(block.epoch), count(block.units.length), count(block.voids.length),
    h("code", { title: block.app_hash }, `${block.app_hash.slice(0, 16)}…`),
  ]);
  return table(columns, rows, "No block yet.");
}

/** The table of deals. */
export function dealTable(deals) {
  const columns = [["Deal"], ["Owner"], ["State"], ["Health"], ["Code", "num"], ["Segments", "num"], ["Size", "num"], ["Epochs left", "num"], ["Escrow", "num"]];
  const rows = deals.map((deal) => [
    dealLink(deal.deal), h("span", { class: "id", title: deal.owner }, deal.owner.slice(0, 10)), state(deal.state),
    state(standing(deal)), `${deal.k}/${deal.n}`, count(deal.segments), bytes(deal.kib * 1024),
    count(deal.epochs_left), deal.state === "ended" ? "–" : coins(deal.escrow),
  ]);
  return table(columns, rows, "No deal yet. Store a file with: cybervein put FILE");
}

/** The whole first view. */
export async function overview(feed) {
  const [{ miners }, { epochs }, { blocks }, { deals }] = await Promise.all([
    get("/v1/miners"), get("/v1/epochs?limit=60"), get("/v1/blocks?limit=10"), get("/v1/deals?limit=10"),
  ]);
  const rest = (href) => h("p", { class: "more" }, link(href, "all of them"));
  return [
    card("Miners", "measured, never pledged", minerTable(miners)),
    h("div", { class: "split" },
      card("Rewards by epoch", "", epochChart(epochs), epochTable(epochs.slice(0, 6)), rest("#/epochs")),
      card("Right now", "live", feed)),
    card("Deals", "", dealTable(deals), rest("#/deals")),
    card("Blocks", "", blockTable(blocks), rest("#/blocks")),
  ];
}
