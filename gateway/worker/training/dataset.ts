import { readFile } from 'node:fs/promises';
import type { Rng } from '../../kernel/rng.ts';

/** Pixels along one edge of an image. */
export const edge = 8;
/** Pixels of an image. */
export const pixels = edge * edge;
/** The kinds of digit. */
export const classes = 10;

/** Labelled images. Image i is the `pixels` numbers from i * `pixels` on: 0 (paper) to 16 (ink), row by row. */
export interface Dataset {
  readonly count: number;
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

/** Reads a file of the UCI set "Optical Recognition of Handwritten Digits". Throws, naming the line, on anything else. */
export async function readDigits(path: string): Promise<Dataset> {
  const lines = (await readFile(path, 'utf8')).trim().split(/\r?\n/);
  const rows = lines.map((line, at) => ({ numbers: line.split(',').map(Number), at: at + 1 }));
  // UCI's own files have no header; copies made by others do.
  if (rows[0]?.numbers.some(Number.isNaN)) rows.shift();
  const images = new Float32Array(rows.length * pixels);
  const labels = new Uint8Array(rows.length);
  for (const [row, { numbers, at }] of rows.entries()) {
    const label = numbers.pop();
    const isImage =
      numbers.length === pixels && numbers.every((value) => Number.isInteger(value) && value >= 0 && value <= 16);
    if (!isImage || label === undefined || !Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(`${path}:${at}: wanted ${pixels} whole numbers from 0 to 16 and a label from 0 to 9`);
    }
    images.set(numbers, row * pixels);
    labels[row] = label;
  }
  return { count: rows.length, images, labels };
}

/** The images at these positions, in this order. */
export function select(dataset: Dataset, positions: ArrayLike<number>): Dataset {
  const images = new Float32Array(positions.length * pixels);
  const labels = new Uint8Array(positions.length);
  for (let at = 0; at < positions.length; at++) {
    const from = (positions[at] ?? 0) * pixels;
    images.set(dataset.images.subarray(from, from + pixels), at * pixels);
    labels[at] = dataset.labels[positions[at] ?? 0] ?? 0;
  }
  return { count: positions.length, images, labels };
}

// Long enough that few images have a neighbour of the same hand across the cut, short enough that every fifth makes a fair sample.
const blockImages = 191;
const folds = 5;

/**
 * Parts a dataset into what is learnt from and what choices are made on: every fifth block of consecutive images, the
 * `fold`th first (0 to 4). Blocks, because images of one hand lie near each other in the file although it does not say
 * whose they are: a split image by image would ask mostly about hands already seen.
 */
export function splitInBlocks(dataset: Dataset, fold: number): { learning: Dataset; validation: Dataset } {
  const positions = Array.from({ length: dataset.count }, (_, at) => at);
  const isHeldOut = (at: number): boolean => Math.floor(at / blockImages) % folds === fold;
  return {
    learning: select(
      dataset,
      positions.filter((at) => !isHeldOut(at)),
    ),
    validation: select(dataset, positions.filter(isHeldOut)),
  };
}

/** The numbers below `count` in random order (Fisher and Yates). */
export function shuffled(count: number, rng: Rng): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let last = count - 1; last > 0; last--) {
    const other = rng.below(last + 1);
    const kept = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}
