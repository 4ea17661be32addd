/** The service, as the shop's server sees it. Importing this file into a component of the browser fails the build. */

import "server-only";
import { Client, InkseekClientError, RequestInvalid, TryLater, type Hit } from "@inkseek/client";
import type { Product } from "./products";

// Read at run time and never sent to a browser: Next.js sends what begins with NEXT_PUBLIC_.
export const inkseek = new Client(process.env.SHOP_SERVICE ?? "http://127.0.0.1:8000", {
  key: () => process.env.SHOP_KEY ?? null,
  timeoutMs: 10_000,
});

/** Name and price from the gallery's metadata, else the category. */
export function productOf(hit: Hit): Product {
  const { name, price } = hit.metadata ?? {};
  return {
    id: hit.photo_id,
    name: String(name ?? (hit.category || hit.photo_id)),
    price: price === undefined || price === null ? "" : String(price),
    picture: `/pictures/${hit.photo_id.split("/").map(encodeURIComponent).join("/")}`,
  };
}

/** What a customer is told; the log has the rest. Rethrows what is no error of the service. */
export function apology(error: unknown): Response {
  if (!(error instanceof InkseekClientError)) throw error;
  console.warn("inkseek:", error.message);
  if (error instanceof RequestInvalid) return said("This drawing cannot be searched for. Draw a little more.", 422);
  if (error instanceof TryLater) return said("Many people are drawing. Try again in a moment.", 503);
  return said("The search is not available.", 502);
}

export function said(message: string, status: number): Response {
  return Response.json({ message }, { status });
}
