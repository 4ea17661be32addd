/** A product's picture. An <img> sends no key, so that the shop fetches it; browsers may keep it for a day. */

import { NotFound } from "@inkseek/client";
import { apology, inkseek } from "@/lib/inkseek";

export async function GET(request: Request, { params }: { params: Promise<{ id: string[] }> }): Promise<Response> {
  const { id } = await params;
  try {
    const picture = await inkseek.thumbnail(id.map(decodeURIComponent).join("/"), { signal: request.signal });
    return new Response(picture, { headers: { "Content-Type": picture.type, "Cache-Control": "public, max-age=86400" } });
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    return error instanceof NotFound ? new Response(null, { status: 404 }) : apology(error);
  }
}
