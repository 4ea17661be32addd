"use client";

import { useEffect, useRef, type PointerEvent } from "react";
import type { Stroke } from "@/lib/products";

const SIZE = 360;

/** A canvas. `strokes` are what is on it; the one under way is drawn by itself and handed over when it ends. */
export function Board({ strokes, onStroke }: { strokes: Stroke[]; onStroke: (stroke: Stroke) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const current = useRef<Stroke | null>(null);

  useEffect(() => {
    const pen = penOf(canvas.current);
    pen.clearRect(0, 0, SIZE, SIZE);
    for (const stroke of strokes) draw(pen, stroke);
  }, [strokes]);

  function extend(event: PointerEvent<HTMLCanvasElement>) {
    if (!current.current) return;
    const box = event.currentTarget.getBoundingClientRect();
    current.current[0].push(Math.round(((event.clientX - box.left) / box.width) * SIZE));
    current.current[1].push(Math.round(((event.clientY - box.top) / box.height) * SIZE));
    draw(penOf(event.currentTarget), current.current);
  }

  function end() {
    if (current.current) onStroke(current.current);
    current.current = null;
  }

  return (
    <div className="board">
      <canvas
        ref={canvas}
        id="board"
        width={SIZE}
        height={SIZE}
        role="img"
        aria-label="Draw here"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          current.current = [[], []];
          extend(event);
        }}
        onPointerMove={extend}
        onPointerUp={end}
        onPointerCancel={end}
      />
      {strokes.length === 0 && <p className="hint" aria-hidden>A few lines are enough</p>}
    </div>
  );
}

function penOf(canvas: HTMLCanvasElement | null): CanvasRenderingContext2D {
  const pen = canvas?.getContext("2d");
  if (!pen) throw new Error("this browser has no canvas");
  pen.lineWidth = 4;
  pen.lineCap = pen.lineJoin = "round";
  return pen;
}

function draw(pen: CanvasRenderingContext2D, [xs, ys]: Stroke) {
  pen.beginPath();
  xs.forEach((x, at) => pen.lineTo(x, ys[at] ?? 0));
  pen.stroke();
}
