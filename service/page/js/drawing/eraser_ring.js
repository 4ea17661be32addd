/** The ring that shows how large the eraser is. */

export class EraserRing {
  #ring;
  #canvas;

  /** @param {HTMLElement} ring @param {HTMLElement} canvas that it moves over */
  constructor(ring, canvas) {
    this.#ring = ring;
    this.#canvas = canvas;
  }

  /** @param {MouseEvent} event where it is @param {number} share its diameter, of the canvas's side */
  show(event, share) {
    const box = this.#canvas.getBoundingClientRect();
    const size = share * box.width;
    this.#ring.hidden = false;
    this.#ring.style.width = this.#ring.style.height = `${size}px`;
    this.#ring.style.transform = `translate(${event.clientX - box.left - size / 2}px, ${event.clientY - box.top - size / 2}px)`;
  }

  hide() {
    this.#ring.hidden = true;
  }
}
