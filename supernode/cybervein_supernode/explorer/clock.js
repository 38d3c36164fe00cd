// The ring of the open epoch: proof window, elapsed time, what is left.

import { seconds } from "./format.js";

const element = (id) => document.getElementById(id);
let moments = null;

/** Take the epoch's moments from `/v1/network`; they are kept relative to this browser's clock. */
export function setEpoch(network) {
  const skew = Date.now() / 1000 - network.now;
  moments = {
    began: network.epoch_began + skew,
    deadline: network.proof_deadline + skew,
    ends: network.epoch_ends + skew,
  };
  element("epoch").textContent = network.epoch;
  const window = (network.proof_deadline - network.epoch_began) / (network.epoch_ends - network.epoch_began);
  element("ring-deadline").style.strokeDasharray = `${window} 1`;
  draw();
}

/** Redraw from the clock. */
export function draw() {
  if (!moments) return;
  const now = Date.now() / 1000;
  const done = Math.min(1, Math.max(0, (now - moments.began) / (moments.ends - moments.began)));
  element("ring-elapsed").style.strokeDasharray = `${done} 1`;
  const proving = now < moments.deadline;
  const left = (proving ? moments.deadline : moments.ends) - now;
  element("remaining").textContent = left <= 0 ? "closing" : `${proving ? "proofs" : "ends"} in ${seconds(left)}`;
}
