/** Lists that come in pages, followed as far as somebody reads. */

/**
 * @template Item
 * @param {(cursor: string | null) => Promise<{items: readonly Item[], next: string | null | undefined}>} request a page
 * @returns {AsyncGenerator<Item, void, undefined>}
 */
export async function* itemsOf(request) {
  /** @type {string | null} */
  let cursor = null;
  do {
    const { items, next } = await request(cursor);
    yield* items;
    cursor = next ?? null;
  } while (cursor !== null);
}
