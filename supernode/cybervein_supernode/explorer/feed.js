// The list of live events.

import { blockLink, dealLink, epochLink, minerLink, state } from "./cells.js";
import { chip, h } from "./dom.js";
import { coins, rate, seconds } from "./format.js";

const LINES_MAX = 80;

/** The list; it outlives the views that show it. */
export const feed = h("ul", { class: "feed" }, h("li", {}, h("time", {}, ""), "", "waiting for the first event"));
let fresh = true;

const LINES = {
  block: (e) => ["block ", blockLink(e.height), `: ${e.units} unit${e.units === 1 ? "" : "s"} (${e.kinds.join(", ")})`],
  epoch: (e) => ["epoch ", epochLink(e.epoch), ` closed, ${coins(e.minted)} minted`],
  proof: (e) => [minerLink(e.miner), " space proof ", state(e.outcome), e.reason ? ` ${e.reason}` : ""],
  audit: (e) => [minerLink(e.miner), " audit ", state(e.outcome), ` ${e.good}/${e.challenged}`],
  bandwidth: (e) => [minerLink(e.miner), ` measured at ${rate(e.bytes_per_second)}`],
  deal: (e) => [e.what, " ", dealLink(e.deal)],
  repair: (e) => [`shard ${e.segment}/${e.index} `, state(e.outcome), e.to ? [" to ", minerLink(e.to)] : "", e.seconds ? ` in ${seconds(e.seconds)}` : ""],
  miner: (e) => [minerLink(e.miner), e.online ? " is online" : " is offline"],
  batch: (e) => [minerLink(e.miner), " plot batch ", state(e.outcome), e.reason ? ` ${e.reason}` : ""],
};

/** Put an event on top. */
export function show(kind, event) {
  if (fresh) feed.replaceChildren();
  fresh = false;
  const time = new Date((event.time ?? Date.now() / 1000) * 1000).toLocaleTimeString("en-GB");
  feed.prepend(h("li", {}, h("time", {}, time), h("span", {}, chip(kind)), h("span", {}, LINES[kind](event))));
  while (feed.children.length > LINES_MAX) feed.lastChild.remove();
}
