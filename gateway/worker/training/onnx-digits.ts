import ort from 'onnxruntime-node';
import { type Dataset, pixels } from './dataset.ts';

/** What a model said of images. */
export interface Answers {
  readonly labels: Uint8Array;
  /** The chance of each digit, a row an image. */
  readonly probabilities: Float32Array;
}

/** A digit model as onnxruntime runs it. */
export interface OnnxDigits {
  /** Answers for images as the data set has them, all in one run. */
  answer(images: Float32Array): Promise<Answers>;
  close(): Promise<void>;
}

/** Loads an ONNX file, given by its path or its bytes, to compute with so many threads. */
export async function openDigits(file: string | Uint8Array, threads: number): Promise<OnnxDigits> {
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  // The two are separate overloads, which a union of both fits neither of.
  const session = await (typeof file === 'string'
    ? ort.InferenceSession.create(file, options)
    : ort.InferenceSession.create(file, options));
  return {
    async answer(images) {
      const { label, probabilities } = await session.run({
        image: new ort.Tensor('float32', images, [images.length / pixels, pixels]),
      });
      if (!(label?.data instanceof BigInt64Array && probabilities?.data instanceof Float32Array)) {
        throw new TypeError('wanted the outputs label (INT64) and probabilities (FP32)');
      }
      return { labels: Uint8Array.from(label.data, Number), probabilities: probabilities.data };
    },
    close: () => session.release(),
  };
}

// The most rows a bundled model is given at once; see max_batch in its card.
const batch = 64;

/** The labels a model gives to all images of a dataset, in order. */
export async function labelAll(model: OnnxDigits, { images, count }: Dataset): Promise<Uint8Array> {
  const labels = new Uint8Array(count);
  for (let from = 0; from < count; from += batch) {
    labels.set((await model.answer(images.slice(from * pixels, (from + batch) * pixels))).labels, from);
  }
  return labels;
}

/** How many of these labels are those of the dataset. */
export function countCorrect(labels: Uint8Array, dataset: Dataset): number {
  return labels.filter((label, at) => label === dataset.labels[at]).length;
}

/**
 * Whether a model gives an image the same chances, bit for bit, in whatever company: the first `batch` images of a dataset
 * are asked in groups of every size, by one thread and by two. A property of the file on this kind of processor, since
 * onnxruntime has other code for others.
 */
export async function isBatchInvariant(file: string | Uint8Array, dataset: Dataset): Promise<boolean> {
  const images = dataset.images.slice(0, batch * pixels);
  const seen: Float32Array[] = [];
  for (const threads of [1, 2]) {
    const model = await openDigits(file, threads);
    for (let size = 1; size <= batch; size++) seen.push(await answerInGroups(model, images, size));
    await model.close();
  }
  const [first, ...others] = seen.map((probabilities) => Buffer.from(probabilities.buffer));
  return others.every((other) => first?.equals(other));
}

/** The chances for all images when they are asked so many at a time. */
async function answerInGroups(model: OnnxDigits, images: Float32Array, size: number): Promise<Float32Array> {
  const rows: number[] = [];
  for (let from = 0; from < images.length; from += size * pixels) {
    rows.push(...(await model.answer(images.slice(from, from + size * pixels))).probabilities);
  }
  return Float32Array.from(rows);
}
