import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHalf, toHalf } from "../src/calls/half.js";

/** Every number of two bytes, from its definition. */
function everyHalf() {
  const numbers = [];
  for (let half = 0; half < 0x10000; half++) {
    const [exponent, fraction, sign] = [(half >> 10) & 31, half & 1023, half & 0x8000 ? -1 : 1];
    if (exponent === 31) continue;
    numbers.push([half, sign * (exponent ? 1 + fraction / 1024 : fraction / 1024) * 2 ** (Math.max(exponent, 1) - 15)]);
  }
  return numbers;
}

test("every half is read and written as it is", () => {
  const numbers = everyHalf();
  const bytes = toHalf(numbers.map(([, number]) => number));
  const words = new Uint16Array(bytes.buffer);
  numbers.forEach(([half], n) => assert.equal(words[n], half));
  assert.deepEqual([...fromHalf(bytes)], numbers.map(([, number]) => number));
});

test("what lies between two goes to the nearer one, and from the middle to the even one", () => {
  const positive = everyHalf().filter(([half]) => half < 0x8000);
  for (let n = 0; n + 1 < positive.length; n += 7) {
    const [[low, below], [high, above]] = [positive[n], positive[n + 1]];
    const even = low % 2 === 0 ? low : high;
    const words = new Uint16Array(toHalf([below + (above - below) * 0.25, below + (above - below) * 0.75, (below + above) / 2]).buffer);
    assert.deepEqual([...words], [low, high, even]);
  }
});

test("what is too large or no number is so in a half", () => {
  assert.deepEqual([...new Uint16Array(toHalf([1e6, -1e6, NaN]).buffer)], [0x7c00, 0xfc00, 0x7e00]);
  assert.ok(Number.isNaN(fromHalf(toHalf([NaN]))[0]));
  assert.equal(fromHalf(toHalf([-1e6]))[0], -Infinity);
});
