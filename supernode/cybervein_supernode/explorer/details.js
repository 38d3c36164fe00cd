// One thing at a time: a miner, an epoch, a block, a unit, a deal.

import { get } from "./api.js";
import { accountLink, blockLink, dealLink, epochLink, minerLink, presence, score, shareBar, standing, state, unitLink } from "./cells.js";
import { card, chip, facts, h, table } from "./dom.js";
import { bytes, coins, count, exactCoins, rate } from "./format.js";

const code = (text) => h("code", { class: "wrap" }, text ?? "–");

/** An account: what it has, what it stores and, for a miner, how it stands. */
export async function accountPage(address) {
  const [account, { deals }, { miners }] = await Promise.all([
    get(`/v1/accounts/${address}`), get(`/v1/deals?owner=${address}&limit=500`), get("/v1/miners")]);
  const mines = miners.some((each) => each.address === address);
  return [
    card("Account", mines ? "a miner" : "", facts([
      ["Address", code(account.address)], ["Balance", `${exactCoins(account.balance)} coins`],
      ["Bond", `${exactCoins(account.bonded)} coins (${exactCoins(account.bond_due)} due)`],
      ["Units sent", count(account.nonce)], ["Deals", count(deals.length)],
    ])),
    ...(mines ? await minerPage(address) : []),
    card("Deals of this account", "", table(
      [["Deal"], ["State"], ["Code"], ["Size", "num"], ["Epochs left", "num"], ["Escrow", "num"]],
      deals.map((d) => [dealLink(d.deal), state(d.state), `any ${d.k} of ${d.n}`, bytes(d.kib * 1024), count(d.epochs_left), coins(d.escrow)]),
      "It stores nothing.")),
  ];
}

/** A miner: standing, batches, its last epochs. */
export async function minerPage(address) {
  const [miner, { miners }] = await Promise.all([get(`/v1/miners/${address}`), get("/v1/miners")]);
  const listed = miners.find((each) => each.address === address);
  return [
    card("Miner", presence(miner), facts([
      ["Address", code(miner.address)], ["URL", code(miner.url)], ["Paid to", accountLink(miner.payout, code(miner.payout))],
      ["Domain", `${miner.group} / ${miner.owner}`], ["Plots", `${miner.plots_active} active, ${miner.plots_pending} waiting`],
      ["Measured space", bytes(miner.space_bytes)], ["Measured bandwidth", rate(miner.bytes_per_second)],
      ["Weight", shareBar(listed ? listed.weight_share : 0)], ["Possession score", score(miner)],
      ["Last audit", state(miner.last_audit)], ["Holds", `${bytes(miner.held_kib * 1024)} in ${count(miner.held_shards)} shards`],
      ["Rewards", coins(miner.rewards)], ["Storage fees", coins(miner.fees)], ["Penalties", coins(miner.penalties)],
      ["Bond", `${coins(miner.bonded)} (${coins(miner.bond_due)} due)`],
    ])),
    card("Last epochs", "", table(
      [["Epoch"], ["Plots seen", "num"], ["Space", "num"], ["Bandwidth", "num"], ["Audit"], ["Reward", "num"], ["Fees", "num"]],
      miner.epochs.map((e) => [epochLink(e.epoch), count(e.estimate), bytes(e.space_bytes), rate(e.bandwidth), state(e.audit), coins(e.reward), coins(e.fees)]),
      "Not in any closed epoch yet.")),
    card("Plot batches", "", table(
      [["Batch"], ["State"], ["Plots", "num"], ["Registered", "num"], ["Counts from", "num"], ["Reason"]],
      miner.batches.map((b) => [unitLink(b.batch), state(b.state), `${b.live}/${b.plots}`, epochLink(b.registered), b.counts_from || "–", b.reason]),
      "No plots registered.")),
  ];
}

/** A closed epoch: who contributed what. */
export async function epochPage(number) {
  const epoch = await get(`/v1/epochs/${number}`);
  return [
    card(`Epoch ${epoch.epoch}`, `${coins(epoch.minted)} minted`, facts([
      ["Beacon", code(epoch.beacon)], ["Next beacon", code(epoch.next_beacon)],
      ["Proofs", count(epoch.proofs)], ["Storage fees", coins(epoch.fees)],
    ])),
    card("Contributions", "weight = space × bandwidth", table(
      [["Miner"], ["Plots seen", "num"], ["Space", "num"], ["Bandwidth", "num"], ["Share"], ["Audit"], ["Reward", "num"], ["Fees", "num"]],
      epoch.contributions.map((c) => [minerLink(c.miner), count(c.estimate), bytes(c.space_bytes), rate(c.bandwidth),
        shareBar(epoch.weight ? (c.weight / epoch.weight) * 1e6 : 0), state(c.audit), coins(c.reward), coins(c.fees)]),
      "Nobody contributed.")),
  ];
}

/** An engine block and its units. */
export async function blockPage(height) {
  const block = await get(`/v1/blocks/${height}`);
  return [
    card(`Block ${block.height}`, `${bytes(block.bytes)}`, facts([
      ["Id", code(block.id)], ["Before it", block.height > 1 ? blockLink(block.height - 1) : "genesis"],
      ["Epoch", epochLink(block.epoch)], ["State hash", code(block.app_hash)], ["Proposer", code(block.proposer)],
    ])),
    card("Units", `${block.units.length}`, table(
      [["Unit"], ["Kind"], ["Issuer"], ["Status"], ["Bytes", "num"]],
      block.contents.map((u) => [unitLink(u.id), chip(u.kind), h("span", { class: "id", title: u.issuer }, u.issuer.slice(0, 12)),
        h("span", { title: u.reason }, state(u.status), u.code ? ` ${u.code}` : ""), count(u.bytes)]),
      "An empty block.")),
  ];
}

/** A unit as it was signed. */
export async function unitPage(id) {
  const unit = await get(`/v1/units/${id}`);
  const signed = h("pre", { class: "facts wrap" }, JSON.stringify(unit.unit ?? {}, null, 2).slice(0, 20000));
  return [
    card("Unit", state(unit.status), facts([
      ["Id", code(unit.id)], ["Kind", unit.kind ?? "–"], ["Block", unit.height ? blockLink(unit.height) : "waits for one"],
      ["Issuer", unit.issuer ? accountLink(unit.issuer, code(unit.issuer)) : "–"], ["Void because", unit.code ? `${unit.code}: ${unit.reason}` : "–"],
    ])),
    card("As signed", "", signed),
  ];
}

/** A deal and where its shards are. */
export async function dealPage(id) {
  const [deal, { shards }] = await Promise.all([get(`/v1/deals/${id}`), get(`/v1/deals/${id}/shards`)]);
  return [
    card("Deal", state(deal.state), facts([
      ["Id", code(deal.deal)], ["Owner", accountLink(deal.owner, code(deal.owner))], ["Health", state(standing(deal))],
      ["Code", `any ${deal.k} of ${deal.n} shards`], ["Segments", count(deal.segments)], ["Size", bytes(deal.kib * 1024)],
      ["Epochs left", count(deal.epochs_left)], ["Escrow", coins(deal.escrow)],
      deal.state === "ended" ? ["Spent", coins(deal.spent)] : ["Would come back now", coins(deal.refund)],
      ["Came back", deal.state === "ended" ? coins(deal.refunded) : "–"],
    ])),
    card("Shards", `${shards.length}`, table(
      [["Segment", "num"], ["Index", "num"], ["Root"], ["Size", "num"], ["Miner"], ["Since epoch", "num"]],
      shards.slice(0, 500).map((s) => [s.segment, s.index, h("code", { title: s.root }, `${s.root.slice(0, 16)}…`), bytes(s.size),
        s.miner ? minerLink(s.miner) : chip("lost", "bad"), epochLink(s.since)]),
      deal.state === "ended" ? "Ended: nobody holds or is paid for its shards any more." : "Nothing committed yet.")),
  ];
}

/** What a search text names; null if nothing. */
export function find(text) {
  if (/^\d+$/.test(text)) return `#/block/${text}`;
  if (text.startsWith("cv")) return `#/account/${text}`;
  return null;
}

/** A CID is a deal if there is one of that id, else a unit. */
export async function findCid(text) {
  return get(`/v1/deals/${text}`).then(() => `#/deal/${text}`, () => `#/unit/${text}`);
}

