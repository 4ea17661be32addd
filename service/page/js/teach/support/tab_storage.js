/**
 * Keeps values until the tab is closed, across reloads. In IndexedDB, since it takes files; the session's storage takes
 * text alone, and too little of it.
 */

const DATABASE = "inkseek.support";
const STORE = "support";
const TAB_KEY = "inkseek.tab";
/** What a closed tab left behind is cleared away after this. */
const OLD_MS = 24 * 3600 * 1000;

/**
 * @param {string} name within this tab
 * @param {unknown} value anything that can be cloned; files and blobs too
 */
export async function save(name, value) {
  try {
    const store = await open("readwrite");
    store.put({ value, at: Date.now() }, `${tab()} ${name}`);
  } catch {
    // Storage is full or forbidden: the value lives as long as the page does.
  }
}

/** @param {string} name @returns {Promise<any>} what was kept under that name; undefined: nothing, or storage is forbidden */
export async function load(name) {
  try {
    const store = await open("readwrite");
    await clearOld(store);
    return (await done(store.get(`${tab()} ${name}`)))?.value;
  } catch {
    return undefined;
  }
}

/** @param {IDBTransactionMode} mode @returns {Promise<IDBObjectStore>} */
async function open(mode) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return (await done(opening)).transaction(STORE, mode).objectStore(STORE);
}

/** @param {IDBObjectStore} store */
async function clearOld(store) {
  const [keys, entries] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
  entries.forEach(({ at }, index) => at < Date.now() - OLD_MS && store.delete(keys[index]));
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {string} tells this tab from others */
function tab() {
  const known = sessionStorage.getItem(TAB_KEY);
  if (known) return known;
  const made = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  sessionStorage.setItem(TAB_KEY, made);
  return made;
}
