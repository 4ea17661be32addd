/** Draws strokes on the canvas, asks the shop for products when a stroke ends, and reports what is picked. */

const board = document.getElementById("board");
const pen = board.getContext("2d");
const category = document.getElementById("category");
const status = document.getElementById("status");
const products = document.getElementById("products");
let strokes = []; // each [[x, …], [y, …]] in pixels of the canvas
let asked = new AbortController(); // the search that is under way

function paint() {
  pen.clearRect(0, 0, board.width, board.height);
  pen.lineWidth = 4;
  pen.lineCap = pen.lineJoin = "round";
  for (const [xs, ys] of strokes) {
    pen.beginPath();
    xs.forEach((x, at) => pen.lineTo(x, ys[at]));
    pen.stroke();
  }
}

function extend(event) {
  const scale = board.width / board.clientWidth;
  const [xs, ys] = strokes.at(-1);
  xs.push(event.offsetX * scale);
  ys.push(event.offsetY * scale);
  paint();
}

board.addEventListener("pointerdown", (event) => {
  board.setPointerCapture(event.pointerId);
  strokes.push([[], []]);
  extend(event);
});
board.addEventListener("pointermove", (event) => {
  if (board.hasPointerCapture(event.pointerId)) extend(event);
});
board.addEventListener("pointerup", search);
category.addEventListener("change", search);
document.getElementById("undo").addEventListener("click", () => {
  strokes.pop();
  search();
});
document.getElementById("clear").addEventListener("click", () => {
  strokes = [];
  search();
});

async function search() {
  paint();
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  if (!strokes.length) {
    products.replaceChildren();
    status.textContent = "";
    return;
  }
  try {
    const answer = await sent("search", { drawing: strokes, category: category.value }, signal);
    products.replaceChildren(...answer.map(shown));
    status.textContent = "";
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

function shown(product) {
  const figure = document.getElementById("product").content.firstElementChild.cloneNode(true);
  figure.querySelector("img").src = "pictures/" + product.photo_id.split("/").map(encodeURIComponent).join("/");
  figure.querySelector("img").alt = `${product.name} ${product.photo_id}`;
  figure.querySelector(".name").textContent = product.name;
  figure.querySelector(".price").textContent = product.price ?? "";
  figure.querySelector("button").addEventListener("click", async () => {
    figure.classList.add("picked");
    try {
      await sent("picks", { drawing: strokes, photo_id: product.photo_id });
    } catch (error) {
      status.textContent = error.message;
    }
  });
  return figure;
}

async function sent(path, body, signal) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text.startsWith("{") ? JSON.parse(text).message : response.statusText);
  return text ? JSON.parse(text) : null;
}
