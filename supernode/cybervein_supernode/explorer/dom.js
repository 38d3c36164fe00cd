// Building the page: text is always text, never markup, so no peer can inject any.

/** An element: `h("td", {class: "num"}, "5")`. Children may be nodes, strings, arrays or null. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat());
  return node;
}

/** A card with a title and, right of it, a small note. */
export function card(title, note, ...children) {
  return h("section", { class: "card" }, h("h2", {}, title, note ? h("small", {}, note) : null), ...children);
}

/** A table; `columns` are [title, class] pairs, `rows` arrays of cells. */
export function table(columns, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const head = h("tr", {}, columns.map(([title, kind]) => h("th", { class: kind || null, scope: "col" }, title)));
  const body = rows.map((cells) => h("tr", {}, cells.map((cell, i) => h("td", { class: columns[i][1] || null }, cell))));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), h("tbody", {}, body)));
}

/** A list of facts: [name, value] pairs. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** A coloured word. */
export function chip(text, tone) {
  return h("span", { class: `chip ${tone || ""}` }, text);
}

/** A link to another view of this page. */
export function link(href, ...children) {
  return h("a", { href }, ...children);
}
