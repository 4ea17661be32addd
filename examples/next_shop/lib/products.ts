/** What the shop's pages and its server say to each other. */

/** Of one stroke all x, then all y, in pixels of the canvas. */
export type Stroke = [xs: number[], ys: number[]];

export interface Product {
  id: string;
  name: string;
  price: string;
  picture: string;
}

export interface Found {
  products: Product[];
  /** Probably none of them is what was drawn. */
  unsure: boolean;
}
