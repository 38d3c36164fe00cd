// Numbers and names as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
let coinDigits = 9;

/** Tell how many digits of veins make one coin (from the network's preset). */
export function setCoinDigits(digits) {
  coinDigits = digits;
}

/** 1536 -> "1.5 KiB". */
export function bytes(value) {
  let amount = Number(value);
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount.toFixed(unit && amount < 100 ? 1 : 0)} ${UNITS[unit]}`;
}

/** Bytes per second. */
export function rate(value) {
  return `${bytes(value)}/s`;
}

/** Veins as coins: "12.5". Small amounts keep their digits. */
export function coins(veins) {
  const amount = Number(veins) / 10 ** coinDigits;
  const digits = amount !== 0 && Math.abs(amount) < 1 ? 6 : 2;
  return amount.toLocaleString("en", { maximumFractionDigits: digits });
}

/** Veins as coins with every digit: what an account has is never rounded up. */
export function exactCoins(veins) {
  return (Number(veins) / 10 ** coinDigits).toLocaleString("en", { maximumFractionDigits: coinDigits });
}

/** 1234567 -> "1,234,567". */
export function count(value) {
  return Number(value).toLocaleString("en");
}

/** A long name shortened in its middle. */
export function short(text, head = 8, tail = 5) {
  return text && text.length > head + tail + 1 ? `${text.slice(0, head)}…${text.slice(-tail)}` : text || "–";
}

/** Seconds as "1:05" or "42 s". */
export function seconds(value) {
  const left = Math.max(0, Math.ceil(value));
  if (left < 90) return `${left} s`;
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** Parts per million as "12.3 %". */
export function share(ppm) {
  return `${(Number(ppm) / 10000).toFixed(1)} %`;
}

/** good / total as a percentage, "–" without any. */
export function ratio(good, total) {
  return total ? `${((100 * good) / total).toFixed(good === total ? 0 : 1)} %` : "–";
}
