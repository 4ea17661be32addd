/**
 * Grey levels of a picture, as the service has them.
 *
 * @typedef {object} Plane
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} data   row by row
 * @typedef {readonly [Plane] | readonly [Plane, Plane, Plane]} Picture   grey, or red, green and blue, of one size
 * @typedef {readonly [left: number, top: number, right: number, bottom: number]} Window
 */

/** @param {number} width @param {number} height @param {number} [level] @returns {Plane} */
export function plane(width, height, level = 0) {
  const data = new Uint8Array(width * height);
  return { width, height, data: level ? data.fill(level) : data };
}

/** @param {Plane} of @param {(level: number, at: number) => number} change @returns {Plane} of the same size */
export function mapped({ width, height, data }, change) {
  const out = plane(width, height);
  for (let n = 0; n < data.length; n++) out.data[n] = change(data[n], n);
  return out;
}

/** @param {Picture} picture @param {(one: Plane) => Plane} change @returns {Picture} with each channel changed */
export function eachOf(picture, change) {
  if (picture.length === 1) return [change(picture[0])];
  return [change(picture[0]), change(picture[1]), change(picture[2])];
}

/** @param {Plane} of @returns {Plane} rows and columns exchanged */
export function transposed({ width, height, data }) {
  const out = plane(height, width);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out.data[x * height + y] = data[y * width + x];
  return out;
}

/** @param {Plane} of @param {Window} window in whole pixels, within the plane @returns {Plane} */
export function cropped({ width, data }, [left, top, right, bottom]) {
  const out = plane(right - left, bottom - top);
  for (let y = top; y < bottom; y++) out.data.set(data.subarray(y * width + left, y * width + right), (y - top) * out.width);
  return out;
}

/** Copies a plane into another, whole. @param {Plane} into @param {Plane} from @param {number} left @param {number} top */
export function paste(into, from, left, top) {
  for (let y = 0; y < from.height; y++) {
    into.data.set(from.data.subarray(y * from.width, (y + 1) * from.width), (y + top) * into.width + left);
  }
}

/** @param {Plane} of @returns {number} the highest level */
export function strongest({ data }) {
  let most = 0;
  for (let n = 0; n < data.length; n++) if (data[n] > most) most = data[n];
  return most;
}

/** As Python rounds: a half goes to the even neighbour. @param {number} value @returns {number} */
export function rounded(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
