/** Numbers of two bytes (IEEE 754 binary16, little-endian), which the service takes embeddings in. Engines of before 2025 lack Float16Array. */

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** @param {ArrayLike<number>} numbers @returns {Uint8Array<ArrayBuffer>} two bytes each, rounded to the nearest, halves to even */
export function toHalf(numbers) {
  const view = new DataView(new ArrayBuffer(2 * numbers.length));
  for (let n = 0; n < numbers.length; n++) view.setUint16(2 * n, halfOf(Number(numbers[n])), true);
  return new Uint8Array(view.buffer);
}

/** @param {Uint8Array} bytes @returns {Float32Array<ArrayBuffer>} */
export function fromHalf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(bytes.byteLength / 2);
  for (let n = 0; n < out.length; n++) {
    const half = view.getUint16(2 * n, true);
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    out[n] = half & 0x8000 ? -size : size;
  }
  return out;
}

/** @param {number} number @returns {number} its sixteen bits */
function halfOf(number) {
  single[0] = number;
  const word = bits[0] ?? 0;
  const sign = (word >>> 16) & 0x8000;
  const size = Math.abs(Number(single[0]));
  if (Number.isNaN(size)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // Steps of the number's own exponent; below the smallest normal number, of the smallest there is.
  const exponent = Math.max(-14, ((word >>> 23) & 255) - 127);
  const steps = toEven(size * 2 ** (10 - exponent));
  return sign | (size < 2 ** -14 ? steps : ((exponent + 14) << 10) + steps);
}

/** @param {number} value @returns {number} */
function toEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
