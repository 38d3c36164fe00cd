// The super node's JSON interface.

/** GET a path; an error carries the server's own message. */
export async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(document.message || `${path} answered ${answer.status}`);
  return document;
}

const KINDS = ["block", "epoch", "proof", "audit", "bandwidth", "deal", "repair", "miner", "batch"];

/** Listen to live events, first those of the recent past; `onState(true|false)` says whether the stream is open. */
export function listen(onEvent, onState) {
  const source = new EventSource("/v1/events?after=0");
  source.onopen = () => onState(true);
  source.onerror = () => onState(false);
  for (const kind of KINDS) {
    source.addEventListener(kind, (message) => onEvent(kind, JSON.parse(message.data)));
  }
  return source;
}
