/**
 * Calls about feedback: sketches with the photos that they were meant to find.
 *
 * @import { Sketch } from "../inputs.js"
 * @import { Feedback, FeedbackList, FeedbackParameters } from "../schemas.js"
 * @import { Call } from "../call.js"
 */

import { jsonWith, queryOf, readNothing } from "../call.js";
import { sketchBody } from "../inputs.js";

/** @param {Sketch} sketch @param {string} photoId @returns {Call<Feedback>} */
export function add(sketch, photoId) {
  const query = queryOf({ photo_id: photoId });
  return { method: "POST", path: "/v1/feedback", query, ...sketchBody(sketch), read: jsonWith("feedback_id"), idempotent: false };
}

/** @param {FeedbackParameters} [parameters] @returns {Call<FeedbackList>} */
export function list(parameters = {}) {
  return { method: "GET", path: "/v1/feedback", query: queryOf(parameters), read: jsonWith("feedback") };
}

/** @param {FeedbackParameters} [parameters] without a category, all of them @returns {Call<void>} */
export function clear(parameters = {}) {
  return { method: "DELETE", path: "/v1/feedback", query: queryOf(parameters), read: readNothing };
}

/** @param {string} feedbackId @returns {Call<void>} */
export function remove(feedbackId) {
  return { method: "DELETE", path: `/v1/feedback/${encodeURIComponent(feedbackId)}`, read: readNothing };
}
