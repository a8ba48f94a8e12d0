import type { Rng } from '../../kernel/rng.ts';
import { edge, pixels } from './dataset.ts';

/** How far an image may be bent before it is learnt from; each is drawn evenly from minus this to plus this. */
export interface Bending {
  readonly shiftPixels: number;
  readonly turnRadians: number;
  /** Growth along each edge, 0.1 being a tenth. */
  readonly stretchShare: number;
  /** Slant, in pixels sideways per pixel down. */
  readonly slant: number;
}

/**
 * Images as other hands might have written them: each turned, slanted, stretched and shifted a little, about its middle.
 * Gives new images; pixels that come from outside are paper.
 */
export function bend(images: Float32Array, bending: Bending, rng: Rng): Float32Array {
  const bent = new Float32Array(images.length);
  const between = (limit: number): number => (2 * rng.next() - 1) * limit;
  const middle = (edge - 1) / 2;
  for (let from = 0; from < images.length; from += pixels) {
    const image = images.subarray(from, from + pixels);
    const turn = between(bending.turnRadians);
    const slant = between(bending.slant);
    const across = 1 + between(bending.stretchShare);
    const down = 1 + between(bending.stretchShare);
    const shiftX = between(bending.shiftPixels);
    const shiftY = between(bending.shiftPixels);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const x = (pixel % edge) - middle;
      const y = Math.floor(pixel / edge) - middle;
      const fromX = across * (Math.cos(turn) * x - Math.sin(turn) * y + slant * y) + shiftX;
      const fromY = down * (Math.sin(turn) * x + Math.cos(turn) * y) + shiftY;
      bent[from + pixel] = inkAt(image, fromX + middle, fromY + middle);
    }
  }
  return bent;
}

/** The ink at a point between pixels: the four around it, weighted by nearness. */
function inkAt(image: Float32Array, x: number, y: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const right = x - left;
  const below = y - top;
  const upper = inkOf(image, left, top) * (1 - right) + inkOf(image, left + 1, top) * right;
  const lower = inkOf(image, left, top + 1) * (1 - right) + inkOf(image, left + 1, top + 1) * right;
  return upper * (1 - below) + lower * below;
}

function inkOf(image: Float32Array, x: number, y: number): number {
  const isInside = x >= 0 && x < edge && y >= 0 && y < edge;
  return isInside ? (image[y * edge + x] ?? 0) : 0;
}
