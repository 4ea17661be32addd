/** Few-shot adaptation: adapters fitted, listed, activated; feedback collected for them. */

import * as calls from "../calls/adapters.js";
import * as feedbackCalls from "../calls/feedback.js";
import { parametersOf } from "./parameters.js";
import { PhotoCalls } from "./photos.js";

/**
 * @import { Pair, PhotoReference, Sketch, Target } from "../inputs.js"
 * @import { Adapter, Adapters, DeletionParameters, Feedback, FeedbackList, FeedbackParameters, Job, LightFitParameters, Profiles } from "../schemas.js"
 * @import { SendOptions } from "../sender.js"
 * @typedef {{photos?: Iterable<PhotoReference>}} FurtherPhotos   of a category, without a drawing
 */

export class AdapterCalls extends PhotoCalls {
  /**
   * Fits an adapter, and activates it where a gain is expected. It is never fitted twice for one call: when the connection breaks
   * in the middle, Unreachable is thrown and `adapters` tells.
   *
   * @param {Target} target
   * @param {Iterable<Pair>} pairs of a sketch and its photo
   * @param {LightFitParameters & SendOptions & FurtherPhotos} [options] force: activate it even where no gain is
   *   expected; dry_run: only report how good it would be
   * @returns {Promise<Adapter>}
   */
  adapt(target, pairs, { photos = [], ...options } = {}) {
    return this.send(calls.fit(target, pairs, photos, parametersOf(options)), options);
  }

  /**
   * Queues an adapter whose projection is tuned, too: a job of seconds to a minute, see `waitFor`. Photos are ids of the category's.
   *
   * @param {string} category
   * @param {Iterable<Pair>} pairs of a sketch and its photo
   * @param {LightFitParameters & SendOptions} [options] as of `adapt`
   * @returns {Promise<Job>} whose `detail` says at the end whether the adapter is active; a key sees the jobs that it queued
   */
  adaptDeep(category, pairs, options = {}) {
    return this.send(calls.fitDeep(category, pairs, parametersOf(options)), options);
  }

  /** @param {Target} target @param {SendOptions} [options] @returns {Promise<Adapters>} the newest first */
  adapters(target, options) {
    return this.send(calls.list(target), options);
  }

  /** @param {Target} target @param {string} adapterId @param {SendOptions} [options] @returns {Promise<Adapter>} with its figures */
  adapter(target, adapterId, options) {
    return this.send(calls.show(target, adapterId), options);
  }

  /**
   * @param {Target} target
   * @param {string} adapterId
   * @param {SendOptions} [options]
   * @returns {Promise<Adapter>} activated whatever the gate said; throws Conflict where it is of another bundle
   */
  activateAdapter(target, adapterId, options) {
    return this.send(calls.activate(target, adapterId), options);
  }

  /**
   * @param {Target} target
   * @param {SendOptions} [options]
   * @returns {Promise<string | null>} the id of the adapter before, which is active now; null: none is; throws Conflict if none was
   */
  async rollbackAdapter(target, options) {
    return (await this.send(calls.rollback(target), options)).active ?? null;
  }

  /**
   * @param {Target} target
   * @param {string} adapterId
   * @param {DeletionParameters & SendOptions} [options] photos: also those that came with it
   */
  deleteAdapter(target, adapterId, options = {}) {
    return this.send(calls.remove(target, adapterId, parametersOf(options)), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Profiles>} those that have style adapters */
  profiles(options) {
    return this.send(calls.profiles(), options);
  }

  /**
   * @param {Sketch} sketch
   * @param {string} photoId of the photo that it was meant to find
   * @param {SendOptions} [options]
   * @returns {Promise<Feedback>} kept; throws Denied where none is collected
   */
  addFeedback(sketch, photoId, options) {
    return this.send(feedbackCalls.add(sketch, photoId), options);
  }

  /**
   * @param {FeedbackParameters & SendOptions} [options] without a category, of all
   * @returns {Promise<FeedbackList>} pairs that are kept, the newest first
   */
  feedback(options = {}) {
    return this.send(feedbackCalls.list(parametersOf(options)), options);
  }

  /** Deletes one pair with its sketch. @param {string} feedbackId @param {SendOptions} [options] */
  deleteFeedback(feedbackId, options) {
    return this.send(feedbackCalls.remove(feedbackId), options);
  }

  /** Deletes the pairs of a category; without one, all of them. @param {FeedbackParameters & SendOptions} [options] */
  clearFeedback(options = {}) {
    return this.send(feedbackCalls.clear(parametersOf(options)), options);
  }
}
