"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text is never read as HTML. */
function make(tag, attributes = {}, ...children) {
  const vector = ["svg", "path", "text", "title"].includes(tag);
  const made = vector ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const plural = (count, word, words = word + "s") => `${count.toLocaleString("en")} ${count === 1 ? word : words}`;

/** All words of a search in a text: "person 7" and numbers as a whole, other words from their beginning. */
function finder(words) {
  const wanted = words.toLowerCase().match(/(?:person|query)\s+\d+(?=\s|$)|\S+/g) ?? [];
  return (text) => {
    const low = text.toLowerCase(), tokens = low.split(/[\s/]+/);
    return wanted.every((word) => (/\s/.test(word) ? low.includes(` ${word.replace(/\s+/, " ")} `) :
      tokens.some((token) => (/^\d+$/.test(word) ? token === word : token.startsWith(word)))));
  };
}

/** Buttons that lead through a list; only one page of it is in the document at a time. */
function showPages(place, count, size, page, show) {
  place.replaceChildren();
  const pages = Math.ceil(count / size);
  if (pages < 2) return;
  const button = (text, to, label) => {
    const made = make("button", { type: "button", "aria-label": label, onclick: () => { show(to); byId("found").focus(); } }, text);
    made.disabled = to < 0 || to >= pages;
    return made;
  };
  place.append(button("‹ Previous", page - 1, "Previous page"), make("span", {}, `Page ${page + 1} of ${pages}`),
    button("Next ›", page + 1, "Next page"));
}

/** Wait for a pause in typing or dragging. */
function later(act) {
  let waiting = 0;
  return () => { clearTimeout(waiting); waiting = setTimeout(act, 120); };
}
