"use client";

import { useEffect, useState } from "react";
import { Board } from "./board";
import { Products } from "./products";
import type { Found, Stroke } from "@/lib/products";

const NOTHING: Found = { products: [], unsure: false };

/** The canvas, and the products that look like what is on it. */
export function Shop({ categories }: { categories: string[] }) {
  const [strokes, setStrokes] = useState<Stroke[]>([]);
  const [category, setCategory] = useState("");
  const [found, setFound] = useState(NOTHING);
  const [message, setMessage] = useState("");
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    setMessage("");
    setBusy(strokes.length > 0);
    if (!strokes.length) {
      setFound(NOTHING);
      return;
    }
    const newer = new AbortController(); // a new stroke makes the search before it pointless
    search(strokes, category, newer.signal)
      .then(setFound)
      .catch((error: Error) => newer.signal.aborted || setMessage(error.message))
      .finally(() => newer.signal.aborted || setBusy(false));
    return () => newer.abort();
  }, [strokes, category]);

  return (
    <main>
      <section className="desk">
        <h1>Draw what you look for</h1>
        <Board strokes={strokes} onStroke={(stroke) => setStrokes([...strokes, stroke])} />
        <div className="tools">
          <select aria-label="Category" value={category} onChange={(event) => setCategory(event.target.value)}>
            <option value="">Everything</option>
            {categories.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <button disabled={!strokes.length} onClick={() => setStrokes(strokes.slice(0, -1))}>Undo</button>
          <button disabled={!strokes.length} onClick={() => setStrokes([])}>Start again</button>
        </div>
        <p role="status">{message || (found.unsure && !busy ? "Nothing looks much like it yet." : "")}</p>
      </section>
      <Products products={found.products} busy={busy} />
    </main>
  );
}

async function search(drawing: Stroke[], category: string, signal: AbortSignal): Promise<Found> {
  const answer = await fetch("/api/search", { method: "POST", body: JSON.stringify({ drawing, category }), signal });
  const body = await answer.json().catch(() => ({ message: "The search is not available." }));
  if (!answer.ok) throw new Error(body.message);
  return body;
}
