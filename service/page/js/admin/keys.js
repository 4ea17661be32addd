/** The API keys: what each grants and has left of its limits; they are made and revoked from here, and a secret is shown once. */

import { Keys, ownKeyId } from "../api/keys.js";
import { finder } from "../element.js";
import { copyText } from "../features.js";
import { text } from "../texts.js";
import { button, make, showRows } from "./elements.js";
import { Panel } from "./panel.js";
import { ageOf, timeOf } from "./units.js";

/** @typedef {import("../api/keys.js").Key} Key @typedef {Key["limits"][number]} LimitWindow */

const EVERY_MS = 5000;
/** A second press within this time revokes, which cannot be undone. */
const CONFIRM_MS = 5000;
const DAY_MS = 86_400_000;
/** @type {Record<Key["state"], [string, "" | "good" | "bad"]>} */
const STATES = {
  active: ["admin.keys.active", "good"],
  revoked: ["admin.keys.revoked", "bad"],
  expired: ["admin.keys.expired", "bad"],
};

export class KeysPanel {
  #find;
  #keys = new Keys();
  #mayChange = false;
  /** @type {string} the key whose button was pressed once; "": none */
  #asked = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#find = finder(root, "keys-");
    this.panel = new Panel(root, () => this.#look(), { scope: "admin", everyMs: EVERY_MS });
    this.#find("form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#create();
    });
    this.#find("copy").addEventListener("click", () => copyText(this.#find("secret").textContent ?? ""));
  }

  /** @param {readonly string[]} access what the page's own key may do: a new one may do no more */
  allow(access) {
    // Without a key nobody makes one: the first is made where the service runs.
    this.#mayChange = access.includes("admin") && ownKeyId() !== "";
    this.#find("form").hidden = !this.#mayChange;
    for (const box of this.#boxes) {
      box.disabled = !access.includes(box.value);
      if (box.disabled) box.checked = false;
    }
  }

  get #boxes() {
    return [...this.#find("scopes").querySelectorAll("input")];
  }

  async #look() {
    const keys = await this.#keys.list();
    this.#find("none").hidden = keys.length > 0;
    showRows(this.#find("list"), [...keys].reverse().map((key) => this.#row(key)));
  }

  async #create() {
    const form = this.#find("form", HTMLFormElement);
    const value = (/** @type {string} */ name) => this.#find(name, HTMLInputElement).value.trim();
    const days = Number(this.#find("expires", HTMLSelectElement).value);
    const wanted = {
      name: value("name"),
      scopes: /** @type {Key["scopes"]} */ (this.#boxes.filter((box) => box.checked).map((box) => box.value)),
      expires_at: days ? new Date(Date.now() + days * DAY_MS).toISOString() : null,
      galleries: value("gallery") ? [value("gallery")] : [],
      rate_limit: value("rate-limit") || null,
      change_limit: value("change-limit") || null,
    };
    this.#find("made").hidden = true;
    await this.panel.change(async () => {
      const made = await this.#keys.create(wanted);
      this.#find("made-note").textContent = text("admin.keys.made", { name: made.name });
      this.#find("secret").textContent = made.key;
      this.#find("made").hidden = false;
      form.reset();
      this.#find("secret").focus();
    }, "");
  }

  /** @param {Key} key @returns {import("./elements.js").Row} */
  #row(key) {
    const [state, mood] = STATES[key.state];
    const isOwn = key.key_id === ownKeyId();
    const isActive = key.state === "active";
    return {
      key: key.key_id,
      name: key.name,
      state: text(isOwn ? "admin.keys.own" : state),
      mood,
      facts: [`${key.scopes.join(", ")} · ${key.galleries.join(", ") || text("admin.keys.every_gallery")}`, datesOf(key)],
      more: isActive ? key.limits.map(meterOf) : [],
      actions: isActive && !isOwn && this.#mayChange ? [this.#revokeButton(key)] : [],
    };
  }

  /** The first press asks, the second one revokes. @param {Key} key @returns {HTMLButtonElement} */
  #revokeButton({ key_id: id, name }) {
    const asked = this.#asked === id;
    const words = text(asked ? "admin.keys.really" : "admin.keys.revoke");
    const label = text(asked ? "admin.keys.really_label" : "admin.keys.revoke_label", { name });
    return button(words, label, () => (asked ? this.#revoke(id, name) : this.#ask(id)));
  }

  /** @param {string} id "": no longer */
  #ask(id) {
    clearTimeout(this.#timer);
    this.#asked = id;
    if (id) this.#timer = setTimeout(() => this.#ask(""), CONFIRM_MS);
    void this.panel.refresh();
  }

  /** @param {string} id @param {string} name */
  #revoke(id, name) {
    this.#asked = "";
    void this.panel.change(() => this.#keys.revoke(id), text("admin.keys.gone", { name }));
  }
}

/** @param {Key} key @returns {string} */
function datesOf({ key_id: id, created_at: created, expires_at: expires, revoked_at: revoked, last_used_at: used }) {
  const dates = [id, text("admin.keys.created", { time: timeOf(created) })];
  if (revoked) dates.push(text("admin.keys.revoked_at", { time: timeOf(revoked) }));
  else dates.push(expires ? text("admin.keys.expires_at", { time: timeOf(expires) }) : text("admin.keys.forever"));
  dates.push(used ? text("admin.keys.used", { time: timeOf(used) }) : text("admin.keys.unused"));
  return dates.join(" · ");
}

/** @param {LimitWindow} window @returns {HTMLElement} how much of it is used */
function meterOf({ policy, quota, window_s: seconds, remaining }) {
  const limit = make("div", "effect");
  const meter = make("meter");
  const used = Math.max(0, quota - remaining);
  const name = text(policy === "requests" ? "admin.keys.requests" : "admin.keys.changes");
  meter.max = quota;
  meter.value = used;
  meter.setAttribute("aria-label", name);
  limit.append(make("span", "", name), meter, make("b", "", text("admin.keys.window", { used, quota, window: ageOf(seconds) })));
  return limit;
}
