/** The links to the page in other languages: a choice is remembered, and the search stays. */

/** The service reads it: it has to know the language before any script runs. */
const COOKIE = "inkseek-language";
const YEAR_S = 365 * 24 * 3600;

/** @param {HTMLElement} root of the links */
export function bindLanguages(root) {
  for (const link of root.querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      location.assign(addressIn(link.lang, remember(link.lang)));
    });
  }
}

/** @param {string} language @returns {boolean} whether it is remembered: cookies may be forbidden */
function remember(language) {
  try {
    document.cookie = `${COOKIE}=${language}; max-age=${YEAR_S}; samesite=lax; path=${location.pathname}`;
    return document.cookie.split("; ").includes(`${COOKIE}=${language}`);
  } catch {
    return false;
  }
}

/** @param {string} language @param {boolean} remembered else the address has to say it @returns {string} */
function addressIn(language, remembered) {
  const url = new URL(location.href);
  url.hash = "";
  if (remembered) url.searchParams.delete("lang");
  else url.searchParams.set("lang", language);
  return url.href;
}
