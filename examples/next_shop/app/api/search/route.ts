/** POST {drawing, category} -> products, best first. The browser asks the shop, and the shop asks the service. */

import { apology, inkseek, productOf, said } from "@/lib/inkseek";
import type { Found } from "@/lib/products";

const SHOWN = 24;
const MAX_CHARACTERS = 1_000_000;

export async function POST(request: Request): Promise<Response> {
  const text = await request.text();
  if (text.length > MAX_CHARACTERS) return said("This drawing is too large.", 413);
  const asked = bodyOf(text);
  if (!asked) return said("A drawing is expected.", 400);
  try {
    const category = typeof asked.category === "string" && asked.category ? asked.category : undefined;
    const answer = await inkseek.search({ drawing: asked.drawing }, { k: SHOWN, category, signal: request.signal });
    const found: Found = { products: answer.results.map(productOf), unsure: answer.no_good_match ?? false };
    return Response.json(found);
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    return apology(error);
  }
}

function bodyOf(text: string): { drawing?: unknown; category?: unknown } | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body) ? body : null;
  } catch {
    return null;
  }
}
