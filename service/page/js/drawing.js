/**
 * The drawing: an immutable list of marks on a square board, and how it is painted.
 *
 * Coordinates and widths are in board units: the side of the board is 256 units, the size of the sketches that the
 * models are trained on, so a width of 2.5 is the line of their free-hand data whatever the screen.
 *
 * @typedef {[x: number, y: number, pressure?: number]} Point   pressure in 0..1, from pens only
 * @typedef {{kind: "stroke" | "eraser", width: number, points: Point[]}} Line
 * @typedef {{kind: "image", src: string, image: HTMLImageElement}} Picture
 * @typedef {readonly (Line | Picture)[]} Drawing
 */

export const BOARD_UNITS = 256;
export const EMPTY = Object.freeze([]);

/** Side of the picture that is sent. Twice the training size: the service scales down once, from smooth lines. */
const EXPORT_PX = 512;

/** @param {Drawing} drawing @returns {boolean} whether there is nothing to search for */
export function isBlank(drawing) {
  return drawing.every((mark) => mark.kind === "eraser");
}

/** @param {Drawing} drawing @returns {boolean} */
export function hasPicture(drawing) {
  return drawing.some((mark) => mark.kind === "image");
}

/** @param {Drawing} drawing @returns {string} "empty", "1 stroke", "an image and 3 strokes" */
export function describe(drawing) {
  if (isBlank(drawing)) return "empty";
  const strokes = drawing.filter((mark) => mark.kind === "stroke").length;
  const parts = hasPicture(drawing) ? ["an image"] : [];
  if (strokes) parts.push(strokes === 1 ? "1 stroke" : `${strokes} strokes`);
  return parts.join(" and ");
}

/**
 * Paints marks, in order, on a context that is scaled to board units. Erasers take away all that lies below them.
 * @param {CanvasRenderingContext2D} context
 * @param {Drawing} drawing
 * @param {string} ink CSS colour of the strokes
 */
export function paint(context, drawing, ink) {
  context.save();
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = ink;
  for (const mark of drawing) {
    context.globalCompositeOperation = mark.kind === "eraser" ? "destination-out" : "source-over";
    if (mark.kind === "image") paintPicture(context, mark.image);
    else paintLine(context, mark);
  }
  context.restore();
}

/**
 * The drawing as the service gets it: black on white, whatever the colour scheme of the page. A PNG and not strokes,
 * because pictures and the eraser have no form as strokes: so one path serves all, and what is seen is what is sent.
 * @param {Drawing} drawing
 * @returns {Promise<Blob>}
 */
export function toPng(drawing) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = EXPORT_PX;
  const context = canvas.getContext("2d");
  context.scale(EXPORT_PX / BOARD_UNITS, EXPORT_PX / BOARD_UNITS);
  paint(context, drawing, "#000");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, BOARD_UNITS, BOARD_UNITS);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The drawing could not be encoded."))), "image/png");
  });
}

/** @param {CanvasRenderingContext2D} context @param {HTMLImageElement} image */
function paintPicture(context, image) {
  const scale = BOARD_UNITS / Math.max(image.naturalWidth, image.naturalHeight);
  const width = image.naturalWidth * scale;
  const height = image.naturalHeight * scale;
  context.drawImage(image, (BOARD_UNITS - width) / 2, (BOARD_UNITS - height) / 2, width, height);
}

/** @param {CanvasRenderingContext2D} context @param {Line} line */
function paintLine(context, { width, points }) {
  const [first] = points;
  if (points.length === 1) {
    context.beginPath();
    context.arc(first[0], first[1], width / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  // Quadratic curves through the midpoints: smooth, and no point ever moves a part that was drawn before its neighbour.
  const pressed = first.length === 3;
  context.lineWidth = lineWidth(width, first);
  context.beginPath();
  context.moveTo(first[0], first[1]);
  for (let i = 1; i < points.length; i++) {
    const point = points[i];
    const next = points[i + 1] ?? point;
    const end = [(point[0] + next[0]) / 2, (point[1] + next[1]) / 2];
    context.quadraticCurveTo(point[0], point[1], end[0], end[1]);
    if (pressed) {
      // One path has one width: each piece is a path of its own.
      context.lineWidth = lineWidth(width, point);
      context.stroke();
      context.beginPath();
      context.moveTo(end[0], end[1]);
    }
  }
  if (!pressed) context.stroke();
}

/** Pressure moves the width by no more than 35 %: the models know even lines. */
function lineWidth(width, [, , pressure]) {
  return pressure === undefined ? width : width * (0.65 + 0.7 * pressure);
}
