/** Photos of the gallery: listed, shown, stored, described and deleted. */

import * as changes from "../calls/changes.js";
import * as calls from "../calls/photos.js";
import { itemsOf } from "./pages.js";
import { parametersOf } from "./parameters.js";
import { SearchCalls } from "./search.js";

/**
 * @import { Change, FileInput } from "../inputs.js"
 * @import { Description } from "../calls/changes.js"
 * @import { Categories, Galleries, Job, ListedPhoto, ListingParameters, Photo, Photos } from "../schemas.js"
 * @import { SendOptions } from "../sender.js"
 */

/** Photos that an iteration requests at a time, the most that a page may have. */
const PAGE = 1_000;

export class PhotoCalls extends SearchCalls {
  /**
   * @param {ListingParameters & SendOptions} [options] limit: 1 to 1000
   * @returns {Promise<Photos>} a page of the gallery by ids
   */
  photos(options = {}) {
    return this.send(calls.list(parametersOf(options)), options);
  }

  /**
   * @param {Omit<ListingParameters, "limit" | "cursor"> & SendOptions & {page?: number}} [options] page: photos requested at a time
   * @returns {AsyncGenerator<ListedPhoto, void, undefined>} all photos; throws CursorStale when the gallery changes
   */
  iterPhotos({ page = PAGE, ...options } = {}) {
    return itemsOf(async (cursor) => {
      const answer = await this.photos({ ...options, limit: page, cursor });
      return { items: answer.photos, next: answer.next_cursor };
    });
  }

  /** @param {string} photoId @param {SendOptions} [options] @returns {Promise<Photo>} its record */
  photo(photoId, options) {
    return this.send(calls.record(photoId), options);
  }

  /** @param {string} photoId @param {SendOptions} [options] @returns {Promise<Blob>} a JPEG of at most 256 px */
  thumbnail(photoId, options) {
    return this.send(calls.picture(photoId, "thumbnail"), options);
  }

  /** @param {string} photoId @param {SendOptions} [options] @returns {Promise<Blob>} the original; the thumbnail where that is not at hand */
  image(photoId, options) {
    return this.send(calls.picture(photoId, "image"), options);
  }

  /**
   * @param {string} photoId
   * @param {FileInput} file
   * @param {Description & SendOptions} [options] without `category`: the first part of the id; "": none
   * @returns {Promise<Photo>} stored; searches that begin afterwards find it
   */
  putPhoto(photoId, file, options = {}) {
    return this.send(changes.put(photoId, file, options), options);
  }

  /**
   * @param {string} photoId
   * @param {Description & SendOptions} description what is to be changed of it
   * @returns {Promise<Photo>}
   */
  describePhoto(photoId, description) {
    return this.send(changes.describe(photoId, description), description);
  }

  /** Deletes a photo, uploaded or indexed; a file in the gallery's folder stays. @param {string} photoId @param {SendOptions} [options] */
  deletePhoto(photoId, options) {
    return this.send(changes.remove(photoId), options);
  }

  /**
   * @param {Iterable<Change>} items
   * @param {SendOptions} [options]
   * @returns {Promise<Job>} that does them in their order: see `waitFor`
   */
  changePhotos(items, options) {
    return this.send(changes.change(items), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Categories>} by name, with their numbers of photos */
  categories(options) {
    return this.send(calls.categories(), options);
  }

  /** @param {SendOptions} [options] @returns {Promise<Galleries>} those that the key may see */
  galleries(options) {
    return this.send(calls.galleries(), options);
  }
}
