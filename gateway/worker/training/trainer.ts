import type { Rng } from '../../kernel/rng.ts';
import { adam } from './adam.ts';
import { bend } from './augment.ts';
import { type Dataset, pixels, select, shuffled } from './dataset.ts';
import { judge } from './loss.ts';
import { imageShape, type Network, newNetwork } from './network.ts';
import type { Recipe } from './recipes.ts';

/** How a network did on a dataset. */
export interface Score {
  readonly loss: number;
  readonly correct: number;
  readonly share: number;
}

interface Course {
  readonly rng: Rng;
  /** How many times through the data; the learning rate falls to nothing over them. */
  readonly epochs: number;
}

/** Trains a network from the start by a recipe. The same dataset, recipe and seed give the same network, bit for bit. */
export function train(dataset: Dataset, recipe: Recipe, course: Course): Network {
  const network = newNetwork(recipe.layers, imageShape, course.rng);
  const optimizer = adam(network.parameters, recipe.weightDecay);
  const batches = Math.ceil(dataset.count / recipe.batch);
  for (let epoch = 1; epoch <= course.epochs; epoch++) {
    const order = shuffled(dataset.count, course.rng);
    for (let batch = 0; batch < batches; batch++) {
      const share = (epoch - 1 + batch / batches) / course.epochs;
      const images = select(dataset, order.subarray(batch * recipe.batch, (batch + 1) * recipe.batch));
      learn(network, images, recipe, course.rng);
      optimizer.step(learningRateAt(share, recipe.learningRate));
    }
  }
  return network;
}

/** Fills the network's gradients from a batch. */
function learn(network: Network, batch: Dataset, recipe: Recipe, rng: Rng): void {
  const pass = { images: batch.count, rng };
  const outputs = network.forward(scaled(bend(batch.images, recipe.bending, rng)), pass);
  network.backward(judge(outputs, batch.labels, recipe.doubt).slopes, pass);
}

/** Up over the first twentieth of the course, then down along a half wave of the cosine (arXiv 1608.03983) to nothing. */
function learningRateAt(share: number, highest: number): number {
  const warmUpShare = 0.05;
  if (share < warmUpShare) return (highest * share) / warmUpShare;
  return (highest * (1 + Math.cos(Math.PI * ((share - warmUpShare) / (1 - warmUpShare))))) / 2;
}

/** The raw outputs for images as the data set has them (0 to 16), a row an image; valid until the network is next used. */
export function answer(network: Network, images: Float32Array): Float32Array {
  return network.forward(scaled(images), { images: images.length / pixels, rng: null });
}

/** How a network does on a dataset, without learning from it. */
export function score(network: Network, dataset: Dataset): Score {
  // In parts, so that the memory a pass takes stays that of a few batches.
  const part = 128;
  let loss = 0;
  let correct = 0;
  for (let from = 0; from < dataset.count; from += part) {
    const labels = dataset.labels.subarray(from, from + part);
    const images = dataset.images.subarray(from * pixels, (from + part) * pixels);
    const verdict = judge(answer(network, images), labels, 0);
    loss += (verdict.loss * labels.length) / dataset.count;
    correct += verdict.correct;
  }
  return { loss, correct, share: correct / dataset.count };
}

function scaled(images: Float32Array): Float32Array {
  return images.map((ink) => ink / 16);
}
