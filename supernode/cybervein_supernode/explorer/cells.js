// How the things of the network look in a table.

import { chip, h, link } from "./dom.js";
import { ratio, share, short } from "./format.js";

export const minerLink = (address) => link(`#/miner/${address}`, h("span", { class: "id", title: address }, short(address)));
export const accountLink = (address, shown) => link(`#/account/${address}`, shown ?? h("span", { class: "id", title: address }, short(address)));
export const dealLink = (deal) => link(`#/deal/${deal}`, h("span", { class: "id", title: deal }, short(deal, 9, 6)));
export const unitLink = (unit) => link(`#/unit/${unit}`, h("span", { class: "id", title: unit }, short(unit, 9, 6)));
export const blockLink = (height) => link(`#/block/${height}`, String(height));
export const epochLink = (epoch) => link(`#/epoch/${epoch}`, String(epoch));

const TONES = {
  passed: "good", accepted: "good", rebuilt: "good", final: "good", active: "good", good: "good",
  wrong: "bad", failed: "bad", rejected: "bad", void: "bad",
  timeout: "warn", missed: "warn", degraded: "warn", open: "warn", pending: "warn",
};

/** A state as a coloured word. */
export const state = (word) => chip(word || "–", TONES[word]);

/** A deal's health; one that is not active holds nothing. */
export const standing = (deal) => (deal.state === "active" ? deal.health : "none");

/** Online, or why not. */
export function presence(miner) {
  return miner.online ? chip("online", "good") : h("span", { title: miner.unreachable || "" }, chip("offline", "bad"));
}

/** A share of the whole as a bar and a number. */
export function shareBar(ppm) {
  const bar = h("i", {});
  bar.style.width = `${Math.min(100, ppm / 10000)}%`;
  return h("span", {}, h("span", { class: "bar" }, bar), share(ppm));
}

/** Possession score: the chunks that were good among those challenged. */
export function score(miner) {
  const { passed, wrong, timeout } = miner.audits;
  const title = `${passed} passed, ${wrong} wrong, ${timeout} timeout`;
  return h("span", { title }, ratio(miner.chunks_good, miner.chunks_challenged));
}
