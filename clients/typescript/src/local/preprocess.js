/**
 * A sketch to what the encoder takes, as the service prepares it.
 *
 * @import { Picture, Plane } from "./pixels/plane.js"
 * @import { Purpose } from "./purpose.js"
 * @import { Stroke, StrokeStyle } from "./drawing/strokes.js"
 * @typedef {object} Pixels   an ImageData, or anything that has its members
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray | Uint8Array} data   RGBA
 * @typedef {readonly Stroke[] | Pixels} LocalSketch
 * @typedef {object} EncoderInput   as `input` of /v1/encoder
 * @property {number} size_px
 * @property {readonly number[]} mean
 * @property {readonly number[]} std
 * @property {number} min_extent
 * @property {number} target_extent
 */

import { plane } from "./pixels/plane.js";
import { resized } from "./pixels/resample.js";
import { ANYWHERE } from "./purpose.js";
import { normalised } from "./sketch/normalise.js";
import { rasterised } from "./drawing/strokes.js";
import { grey } from "./sketch/ink.js";

const CHANNELS = 3;

/**
 * @param {LocalSketch} sketch
 * @param {{input: EncoderInput, strokes: StrokeStyle}} description
 * @param {Purpose} [purpose]
 * @returns {Plane} what the encoder sees: size_px squared; throws SketchError
 */
export function view(sketch, { input, strokes }, purpose = ANYWHERE) {
  /** @type {Picture} */
  const picture = isPixels(sketch) ? pictureOf(sketch) : [rasterised(sketch, strokes)];
  const seen = normalised(picture, input, purpose);
  return seen.width === input.size_px ? seen : resized(seen, input.size_px, input.size_px, "bilinear");
}

/** @param {Plane} seen @param {EncoderInput} input @returns {Float32Array<ArrayBuffer>} (3, size_px, size_px): (level / 255 - mean) / std */
export function tensor({ data }, { mean, std }) {
  const out = new Float32Array(CHANNELS * data.length);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const factor = Math.fround(1 / (255 * std[channel]));
    const shift = Math.fround(mean[channel] / std[channel]);
    const start = channel * data.length;
    for (let n = 0; n < data.length; n++) out[start + n] = Math.fround(data[n] * factor) - shift;
  }
  return out;
}

/** @param {Plane} seen @returns {Plane} left and right exchanged */
export function mirrored({ width, height, data }) {
  const out = plane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out.data[y * width + x] = data[(y + 1) * width - 1 - x];
  }
  return out;
}

/** @param {Pixels} pixels @returns {Picture} transparency on the ground that shows its ink */
export function pictureOf({ width, height, data }) {
  const [red, green, blue, alpha] = [0, 1, 2, 3].map((offset) => channelOf(width, height, data, offset));
  const channels = /** @type {const} */ ([red, green, blue]);
  if (!alpha.data.every((level) => level === 255)) {
    const ground = groundOf(grey(channels), alpha);
    for (const channel of channels) composite(channel, alpha, ground);
  }
  return red.data.every((level, n) => level === green.data[n] && level === blue.data[n]) ? [red] : channels;
}

/** @param {number} width @param {number} height @param {ArrayLike<number>} data RGBA @param {number} offset @returns {Plane} */
function channelOf(width, height, data, offset) {
  const out = plane(width, height);
  for (let n = 0; n < out.data.length; n++) out.data[n] = data[4 * n + offset];
  return out;
}

/** Writes into the channel. @param {Plane} channel @param {Plane} alpha @param {number} ground */
function composite({ data }, alpha, ground) {
  for (let n = 0; n < data.length; n++) {
    const opacity = alpha.data[n];
    // Pillow's division by 255.
    const sum = ground * (255 - opacity) + data[n] * opacity + 128;
    data[n] = ((sum >> 8) + sum) >> 8;
  }
}

/** @param {Plane} levels @param {Plane} alpha @returns {number} black where little is visible and that is light, as white ink is; else white */
function groundOf(levels, alpha) {
  let [visible, light] = [0, 0];
  for (let n = 0; n < alpha.data.length; n++) {
    visible += alpha.data[n];
    light += alpha.data[n] * levels.data[n];
  }
  return visible / alpha.data.length < 128 && light / Math.max(visible, 1) > 128 ? 0 : 255;
}

/** @param {LocalSketch} sketch @returns {sketch is Pixels} */
function isPixels(sketch) {
  return "data" in sketch;
}
