/**
 * What a sketch can be wrong in before it is encoded. The codes are those of the service's problems.
 *
 * SketchError
 * ├── SketchEmpty        nothing is drawn
 * ├── SketchSolid        all of it is ink
 * ├── StrokesInvalid     strokes that are no drawing
 * └── EncoderUnusable    the encoder was not there, or is another one than described
 */

export class SketchError extends Error {
  /** @type {string} */
  code = "sketch_invalid";

  /** @param {string} message @param {ErrorOptions} [options] */
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class SketchEmpty extends SketchError {
  /** @override */
  code = "sketch_empty";
}

export class SketchSolid extends SketchError {
  /** @override */
  code = "sketch_solid";
}

export class StrokesInvalid extends SketchError {
  /** @override */
  code = "strokes_invalid";
}

export class EncoderUnusable extends SketchError {
  /** @override */
  code = "encoder_unusable";
}
