// The super node's JSON interface.

/** GET a path; an error carries the server's own message. */
export async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(document.message || `${path} answered ${answer.status}`);
  return document;
}

const KINDS = ["block", "epoch", "proof", "audit", "bandwidth", "deal", "repair", "miner", "batch"];

/**
 * Listen to live events, first those of the recent past; `onState(true|false)` says whether the stream is open.
 *
 * Only a page that is looked at listens: browsers keep few connections to one server, and pages in hidden
 * tabs or in the history would take them all. `after` is the last event seen, so none comes twice.
 */
export function listen(onEvent, onState) {
  let source = null;
  let after = 0;
  const open = () => {
    if (source) return;
    source = new EventSource(`/v1/events?after=${after}`);
    source.onopen = () => onState(true);
    source.onerror = () => onState(false);
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        after = Number(message.lastEventId) || after;
        onEvent(kind, JSON.parse(message.data));
      });
    }
  };
  const close = () => { source?.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}
