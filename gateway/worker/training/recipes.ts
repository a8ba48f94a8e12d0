import type { Bending } from './augment.ts';
import { classes } from './dataset.ts';
import type { LayerPlan } from './network.ts';

/** Everything that decides what a training run gives, the data and the seed apart. */
export interface Recipe {
  readonly name: string;
  readonly description: string;
  readonly layers: readonly LayerPlan[];
  readonly batch: number;
  /** How long training may take, in times through the data: each is tried, and the best taken. */
  readonly epochs: readonly number[];
  readonly learningRate: number;
  readonly weightDecay: number;
  /** See `judge`. */
  readonly doubt: number;
  readonly bending: Bending;
}

/** The networks that ship with Headgate. Their numbers were chosen on blocks held out of the training file (`splitInBlocks`). */
export const recipes: readonly Recipe[] = [
  {
    name: 'digits',
    description: 'Handwritten digits, 8 by 8 pixels: a convolutional network, wide for the task, that errs little.',
    layers: [
      { kind: 'convolution', channels: 32, kernel: 3, stride: 1, padding: 1 },
      { kind: 'relu' },
      { kind: 'convolution', channels: 64, kernel: 3, stride: 1, padding: 1 },
      { kind: 'relu' },
      { kind: 'max-pool' },
      { kind: 'dropout', share: 0.25 },
      { kind: 'dense', units: 128 },
      { kind: 'relu' },
      { kind: 'dropout', share: 0.5 },
      { kind: 'dense', units: classes },
    ],
    batch: 64,
    epochs: [12, 24],
    learningRate: 0.002,
    weightDecay: 0.01,
    doubt: 0.05,
    bending: { shiftPixels: 0.3, turnRadians: 0.2, stretchShare: 0.05, slant: 0.2 },
  },
  {
    name: 'digits-small',
    description: 'Handwritten digits, 8 by 8 pixels: a hundredth of the work of `digits`, and a few more errors.',
    layers: [
      { kind: 'convolution', channels: 8, kernel: 3, stride: 1, padding: 1 },
      { kind: 'relu' },
      { kind: 'max-pool' },
      { kind: 'dense', units: 64 },
      { kind: 'relu' },
      { kind: 'dense', units: classes },
    ],
    batch: 64,
    epochs: [60, 120, 240],
    learningRate: 0.006,
    weightDecay: 0.01,
    doubt: 0.1,
    bending: { shiftPixels: 0.3, turnRadians: 0.2, stretchShare: 0.05, slant: 0.2 },
  },
];
