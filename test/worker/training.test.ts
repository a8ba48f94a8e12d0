import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { adam } from '../../gateway/worker/training/adam.ts';
import { bend } from '../../gateway/worker/training/augment.ts';
import { type Dataset, pixels, readDigits, shuffled, splitInBlocks } from '../../gateway/worker/training/dataset.ts';
import { convolution } from '../../gateway/worker/training/layers/convolution.ts';
import { dense } from '../../gateway/worker/training/layers/dense.ts';
import { dropout } from '../../gateway/worker/training/layers/dropout.ts';
import { type Layer, type Shape, sizeOf } from '../../gateway/worker/training/layers/layer.ts';
import { maxPool } from '../../gateway/worker/training/layers/max-pool.ts';
import { relu } from '../../gateway/worker/training/layers/relu.ts';
import { judge, probabilitiesOf } from '../../gateway/worker/training/loss.ts';
import { multiply, transpose } from '../../gateway/worker/training/matrix.ts';
import { type LayerPlan, newNetwork } from '../../gateway/worker/training/network.ts';
import type { Recipe } from '../../gateway/worker/training/recipes.ts';
import { score, train } from '../../gateway/worker/training/trainer.ts';

const noBending = { shiftPixels: 0, turnRadians: 0, stretchShare: 0, slant: 0 };

describe('the gradients of a layer are the slopes of a loss', () => {
  const small: Shape = { height: 4, width: 6, channels: 3 };
  const layers: Readonly<Record<string, (rng: Rng) => Layer>> = {
    'a dense layer': (rng) => dense(small, 5, rng),
    'a convolution': (rng) => convolution(small, { channels: 5, kernel: 3, stride: 1, padding: 1 }, rng),
    'a convolution that skips pixels': (rng) =>
      convolution(small, { channels: 2, kernel: 3, stride: 2, padding: 1 }, rng),
    'a convolution without a rim': (rng) => convolution(small, { channels: 2, kernel: 4, stride: 1, padding: 0 }, rng),
    'a rectifier': () => relu(small),
    'a pool': () => maxPool(small),
    'a dropout': () => dropout(small, 0.4),
  };
  for (const [name, make] of Object.entries(layers)) {
    test(`of ${name}`, () => {
      const rng = seededRng(11);
      const layer = make(rng);
      const images = 3;
      const input = apartFromKinks(images * sizeOf(small), rng);
      const weights = randomNumbers(images * sizeOf(layer.output), rng);
      // A fresh generator for each pass, so that a dropout blots out the same.
      const loss = (): number => dot(layer.forward(input, { images, rng: seededRng(5) }), weights);

      loss();
      const inputSlopes = layer.backward(weights, { images, rng: null }).slice();
      assertSlopes(loss, input, inputSlopes);
      for (const { values, gradients } of layer.parameters) assertSlopes(loss, values, gradients.slice());
    });
  }
});

test('the gradient of a whole network is the slope of its loss', () => {
  const rng = seededRng(3);
  const plans: LayerPlan[] = [
    { kind: 'convolution', channels: 6, kernel: 3, stride: 1, padding: 1 },
    { kind: 'relu' },
    { kind: 'max-pool' },
    { kind: 'dense', units: 12 },
    { kind: 'relu' },
    { kind: 'dense', units: 4 },
  ];
  const network = newNetwork(plans, { height: 8, width: 8, channels: 1 }, rng);
  const pass = { images: 6, rng: null };
  const images = randomNumbers(6 * 64, rng);
  const labels = Uint8Array.of(0, 1, 2, 3, 1, 2);
  const lossOf = () => judge(network.forward(images, pass), labels, 0.1);
  network.backward(lossOf().slopes, pass);
  const starts = network.parameters.map(({ values }) => values.slice());
  const gradients = network.parameters.map((parameter) => parameter.gradients.slice());
  const along = (step: number): number => {
    for (const [at, { values }] of network.parameters.entries()) {
      values.set((starts[at] ?? values).map((value, one) => value + step * (gradients[at]?.[one] ?? 0)));
    }
    return lossOf().loss;
  };
  const steepness = gradients.reduce((sum, one) => sum + dot(one, one), 0);
  const measured = (along(0.001) - along(-0.001)) / 0.002;
  // Within 1 %: along the way a few rectifiers switch and a few pools choose another pixel.
  assert.ok(Math.abs(measured / steepness - 1) < 0.01, `measured ${measured}, computed ${steepness}`);
});

test('a product of matrices is the sum of the products, also where the extents fill no whole tile', () => {
  const rng = seededRng(2);
  for (const [rows = 0, columns = 0, depth = 0] of [
    [1, 1, 1],
    [2, 4, 3],
    [5, 7, 9],
    [3, 3, 1],
    [0, 4, 2],
  ]) {
    const a = randomNumbers(rows * depth, rng);
    const b = randomNumbers(columns * depth, rng);
    const product = new Float32Array(rows * columns).fill(Number.NaN);
    multiply(a, b, product, { rows, columns, depth });
    const wanted = product.map((_, at) => {
      const row = a.subarray(Math.floor(at / columns) * depth).subarray(0, depth);
      return dot(row, b.subarray((at % columns) * depth).subarray(0, depth));
    });
    assert.deepEqual(product, wanted);
  }
});

test('a transpose of a transpose is the matrix', () => {
  const matrix = randomNumbers(19 * 35, seededRng(4));
  const turned = new Float32Array(matrix.length);
  const back = new Float32Array(matrix.length);
  transpose(matrix, turned, 19, 35);
  transpose(turned, back, 35, 19);
  assert.deepEqual(back, matrix);
  assert.equal(turned[2 * 19 + 1], matrix[1 * 35 + 2]);
});

test('an answer that knows nothing loses the logarithm of the number of classes', () => {
  const { loss, slopes } = judge(new Float32Array(20), Uint8Array.of(3, 7), 0);
  assert.ok(Math.abs(loss - Math.log(10)) < 1e-6);
  assert.ok(Math.abs((slopes[3] ?? 0) - (0.1 - 1) / 2) < 1e-6);
});

test('outputs too large for an exponential still give probabilities', () => {
  const probabilities = probabilitiesOf(Float32Array.of(1000, 1000, -1000), 3);
  assert.deepEqual(probabilities, Float32Array.of(0.5, 0.5, 0));
});

test('the first step of Adam is as long as the learning rate, and its steps end in the valley', () => {
  const valley = Float32Array.of(3, -2);
  const parameter = { values: Float32Array.of(0, 0), gradients: new Float32Array(2) };
  const optimizer = adam([parameter], 0);
  const step = (): void => {
    for (const at of [0, 1]) parameter.gradients[at] = (parameter.values[at] ?? 0) - (valley[at] ?? 0);
    optimizer.step(0.01);
  };
  step();
  assert.ok(Math.abs((parameter.values[0] ?? 0) - 0.01) < 1e-6);
  for (let count = 0; count < 2000; count++) step();
  assert.ok(Math.abs((parameter.values[0] ?? 0) - 3) < 1e-3);
  assert.ok(Math.abs((parameter.values[1] ?? 0) + 2) < 1e-3);
});

test('a dropout blots out its share and keeps the mean while learning, and does nothing when answering', () => {
  const layer = dropout({ height: 1, width: 1, channels: 20_000 }, 0.25);
  const ones = new Float32Array(20_000).fill(1);
  const outputs = layer.forward(ones, { images: 1, rng: seededRng(1) });
  const zeros = outputs.filter((value) => value === 0).length / outputs.length;
  assert.ok(Math.abs(zeros - 0.25) < 0.015, `${zeros}`); // Five standard deviations.
  assert.ok(Math.abs(dot(outputs, ones) / outputs.length - 1) < 0.02);
  assert.equal(layer.forward(ones, { images: 1, rng: null }), ones);
});

test('an image that is not bent stays as it is, and one that is keeps its ink within bounds', () => {
  const images = Float32Array.from({ length: 2 * pixels }, (_, at) => at % 17);
  assert.deepEqual(bend(images, noBending, seededRng(1)), images);
  const bending = { shiftPixels: 1, turnRadians: 0.5, stretchShare: 0.3, slant: 0.3 };
  const bent = bend(images, bending, seededRng(1));
  assert.notDeepEqual(bent, images);
  assert.ok(bent.every((ink) => ink >= 0 && ink <= 16));
});

test('a file of digits is read with a header and without, and a bad line is named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-digits-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'digits.csv');
  const row = (label: number): string => [...Array.from({ length: 64 }, (_, at) => at % 17), label].join(',');
  const header = [...Array.from({ length: 64 }, (_, at) => `Block ${at + 1}`), 'Class'].join(',');

  for (const text of [`${row(3)}\n${row(9)}\n`, `${header}\r\n${row(3)}\r\n${row(9)}\r\n`]) {
    await writeFile(file, text);
    const { count, images, labels } = await readDigits(file);
    assert.deepEqual([count, [...labels], images[64 + 20]], [2, [3, 9], 3]);
  }
  for (const bad of [row(10), row(3).replace('16', '17'), '1,2,3']) {
    await writeFile(file, `${row(3)}\n${bad}\n`);
    await assert.rejects(readDigits(file), /digits\.csv:2: wanted 64 whole numbers/);
  }
});

test('images learnt from and images held out are all of them, and the five ways to hold out cover each once', () => {
  const dataset = barsDataset(2000);
  for (let at = 0; at < dataset.count; at++) dataset.images[at * pixels] = at;
  const held = [0, 1, 2, 3, 4].flatMap((fold) => {
    const { learning, validation } = splitInBlocks(dataset, fold);
    assert.equal(learning.count + validation.count, dataset.count);
    return Array.from({ length: validation.count }, (_, at) => validation.images[at * pixels] ?? -1);
  });
  assert.deepEqual(
    held.toSorted((a, b) => a - b),
    Array.from({ length: dataset.count }, (_, at) => at),
  );
});

const toyRecipe: Recipe = {
  name: 'toy',
  description: '',
  layers: [
    { kind: 'convolution', channels: 4, kernel: 3, stride: 2, padding: 1 },
    { kind: 'relu' },
    { kind: 'dropout', share: 0.1 },
    { kind: 'dense', units: 10 },
  ],
  batch: 16,
  epochs: [3],
  learningRate: 0.01,
  weightDecay: 0.01,
  doubt: 0,
  bending: { ...noBending, shiftPixels: 0.3 },
};

test('training learns to tell columns apart', () => {
  const network = train(barsDataset(300), toyRecipe, { rng: seededRng(1), epochs: 10 });
  const { share, loss } = score(network, barsDataset(80));
  assert.equal(share, 1);
  assert.ok(loss < 0.2, `${loss}`);
});

test('training twice on one seed gives the same network, and on another seed another', () => {
  const weightsFor = (seed: number): Float32Array[] =>
    train(barsDataset(50), toyRecipe, { rng: seededRng(seed), epochs: 2 }).parameters.map(({ values }) => values);
  assert.deepEqual(weightsFor(1), weightsFor(1));
  assert.notDeepEqual(weightsFor(1), weightsFor(2));
});

/** Images of one inked column each, which is the label. */
function barsDataset(count: number): Dataset {
  const images = new Float32Array(count * pixels);
  const labels = Uint8Array.from({ length: count }, (_, at) => (at * 3) % 8);
  for (const [at, label] of labels.entries()) {
    for (let row = 0; row < 8; row++) images[at * pixels + row * 8 + label] = 10 + (at % 7);
  }
  return { count, images, labels };
}

/**
 * Every slope is what the loss does when its number moves a little to either side. To a thousandth of the largest slope:
 * the losses are sums in 32 bits.
 */
function assertSlopes(loss: () => number, numbers: Float32Array, slopes: Float32Array): void {
  const step = 1 / 64;
  const largest = Math.max(...slopes.map(Math.abs));
  assert.ok(largest > 0);
  for (const [at, number] of numbers.entries()) {
    numbers[at] = number + step;
    const above = loss();
    numbers[at] = number - step;
    const below = loss();
    numbers[at] = number;
    const measured = (above - below) / (2 * step);
    const computed = slopes[at] ?? Number.NaN;
    assert.ok(Math.abs(measured - computed) <= largest / 1000, `${at}: measured ${measured}, computed ${computed}`);
  }
}

/** Numbers around zero in random order, each at least 1/20 from zero and from any other: no step reaches a kink. */
function apartFromKinks(count: number, rng: Rng): Float32Array {
  return Float32Array.from(shuffled(count, rng), (rank) => (rank - count / 2 + 0.5) / 10);
}

function randomNumbers(count: number, rng: Rng): Float32Array {
  return Float32Array.from({ length: count }, () => 2 * rng.next() - 1);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
