/** Where the page is a phone's: one column, with sheets over it. The style sheets have the same condition. */
export const PHONE = "(max-width: 559.98px), (max-width: 699.98px) and (orientation: portrait)";
