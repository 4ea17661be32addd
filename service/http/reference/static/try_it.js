/** Sends the forms of the reference page: names of controls say where their values go (see reference/try_it.py). */

const root = document.body.dataset.root ?? "";
/** Shared with the drawing page, which asks for the key once. */
const KEY = "inkseek.api-key";

/** @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T} */
function find(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`no ${id}`);
  return found;
}

/** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {Partial<HTMLElementTagNameMap[K]>} properties */
function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

/** @returns {string} */
function storedKey() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** @param {HTMLFormElement} form @returns {[string, string[] | File[]][]} names, and values that are not empty */
function valuesOf(form) {
  /** @type {[string, string[] | File[]][]} */
  const found = [];
  for (const control of form.elements) {
    if (control instanceof HTMLInputElement && control.type === "file") {
      if (control.files?.length) found.push([control.name, [...control.files]]);
    } else if (
      control instanceof HTMLInputElement || control instanceof HTMLSelectElement || control instanceof HTMLTextAreaElement
    ) {
      const listed = "list" in control.dataset ? control.value.split("\n") : [control.value];
      const values = listed.filter((value) => value.trim() !== "");
      if (control.name && values.length) found.push([control.name, values]);
    }
  }
  return found;
}

/** @param {string} id @returns {string} ids and categories keep their slashes */
function segments(id) {
  return id.split("/").map(encodeURIComponent).join("/");
}

/** @param {[string, string[] | File[]][]} values @param {string} place @returns {[string, string | File][]} */
function valuesAt(values, place) {
  return values.flatMap(([name, all]) => {
    if (!name.startsWith(`${place}.`)) return [];
    return all.map((value) => /** @type {[string, string | File]} */ ([name.slice(place.length + 1), value]));
  });
}

/** @param {[string, string[] | File[]][]} values @returns {BodyInit | null} a form, or the last of JSON and file */
function bodyOf(values) {
  const fields = valuesAt(values, "form");
  if (fields.length === 0) return valuesAt(values, "body").at(-1)?.[1] ?? null;
  const parts = new FormData();
  for (const [name, value] of fields) parts.append(name, value);
  return parts;
}

/** @param {HTMLFormElement} form @param {string} gallery @returns {{ url: string, init: RequestInit }} */
function requestOf(form, gallery) {
  const values = valuesOf(form);
  let path = form.dataset.path ?? "";
  if (gallery && "inGallery" in form.dataset) path = path.replace("/v1/", `/v1/galleries/${segments(gallery)}/`);
  for (const [name, value] of valuesAt(values, "path")) path = path.replace(`{${name}}`, segments(String(value)));
  const query = new URLSearchParams(valuesAt(values, "query").map(([name, value]) => [name, String(value)]));
  const headers = new Headers(valuesAt(values, "header").map(([name, value]) => [name, String(value)]));
  const body = bodyOf(values);
  if (typeof body === "string") headers.set("Content-Type", "application/json");
  const key = find("api-key", HTMLInputElement).value;
  if (key) headers.set("Authorization", `Bearer ${key}`);
  const asked = query.size ? `?${query}` : "";
  return { url: root + path + asked, init: { method: form.dataset.method ?? "GET", headers, body } };
}

/** @param {Response} response @returns {Promise<HTMLElement>} its body as people look at it */
async function shownBody(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("image/")) {
    return element("img", { src: URL.createObjectURL(await response.blob()), alt: "The picture of the answer" });
  }
  const text = await response.text();
  const shown = type.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 1) : text;
  return element("pre", { textContent: shown || "(no body)" });
}

/** @param {HTMLFormElement} form */
async function send(form) {
  const output = form.querySelector("output");
  const button = form.querySelector("button");
  if (!output || !button) return;
  button.disabled = true;
  output.hidden = false;
  output.replaceChildren();  // what was answered before is no answer to this
  const started = performance.now();
  try {
    const { url, init } = requestOf(form, find("gallery", HTMLInputElement).value.trim());
    const response = await fetch(url, init);
    const took = Math.round(performance.now() - started);
    const status = element("p", { textContent: `${response.status} ${response.statusText}, ${took} ms: ${init.method} ${url}` });
    status.className = response.ok ? "" : "failed";
    const headers = element("details", {});
    const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    headers.append(element("summary", { textContent: "Headers" }), element("pre", { textContent: lines }));
    output.replaceChildren(status, headers, await shownBody(response));
  } catch (error) {
    output.replaceChildren(element("p", { textContent: `Not sent: ${error}`, className: "failed" }));
  } finally {
    button.disabled = false;
  }
}

const keyInput = find("api-key", HTMLInputElement);
keyInput.value = storedKey();
const contents = find("contents", HTMLDetailsElement);
const isWide = matchMedia("(min-width: 64rem)");
const adjust = () => { contents.open = isWide.matches; };
isWide.addEventListener("change", adjust);
adjust();
contents.addEventListener("click", (event) => {
  if (event.target instanceof HTMLAnchorElement && !isWide.matches) contents.open = false;
});
find("settings", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.path === undefined) return;
  event.preventDefault();
  void send(form);
});
document.addEventListener("change", (event) => {
  const choice = event.target;
  if (!(choice instanceof HTMLSelectElement) || choice.dataset.example === undefined) return;
  const body = choice.form?.elements.namedItem("body.json");
  if (body instanceof HTMLTextAreaElement) body.value = choice.value;
});
