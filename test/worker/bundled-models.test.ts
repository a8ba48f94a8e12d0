import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import ort from 'onnxruntime-node';
import { parse } from 'yaml';
import { loadModel } from '../../gateway/worker/onnx/file.ts';
import { pixels } from '../../gateway/worker/training/dataset.ts';
import { highestOf } from '../../gateway/worker/training/loss.ts';
import { isBatchInvariant, openDigits } from '../../gateway/worker/training/onnx-digits.ts';

const models = join(import.meta.dirname, '../../gateway/worker/models');

interface Samples {
  readonly samples: readonly { readonly label: number; readonly image: readonly number[] }[];
}

for (const name of ['digits', 'digits-small']) {
  describe(`the bundled model ${name}`, () => {
    const file = join(models, name, '1', 'model.onnx');
    const readCard = async () => parse(await readFile(join(models, name, 'model.yaml'), 'utf8'));
    const readSamples = async (): Promise<Samples> =>
      JSON.parse(await readFile(join(models, name, 'samples.json'), 'utf8'));

    test('takes and gives what CONTRACT says', async () => {
      const session = await ort.InferenceSession.create(file);
      const typesOf = (metadata: readonly ort.InferenceSession.ValueMetadata[]) =>
        metadata.map((value) => (value.isTensor ? [value.name, value.type, value.shape] : [value.name]));
      assert.deepEqual(typesOf(session.inputMetadata), [['image', 'float32', ['batch', 64]]]);
      assert.deepEqual(typesOf(session.outputMetadata), [
        ['label', 'int64', ['batch']],
        ['probabilities', 'float32', ['batch', 10]],
      ]);
      await session.release();
    });

    test('answers no image, one, and as many as its card allows; the label is the likeliest digit', async () => {
      const { max_batch: most } = await readCard();
      const digits = await openDigits(file, 1);
      for (const count of [0, 1, most]) {
        const { labels, probabilities } = await digits.answer(await manyImages(count, readSamples));
        assert.equal(probabilities.length, count * 10);
        assert.equal(labels.length, count);
        for (const [at, label] of labels.entries()) {
          const chances = probabilities.subarray(at * 10, at * 10 + 10);
          assert.equal(label, highestOf(chances));
          const sum = chances.reduce((total, chance) => total + chance, 0);
          assert.ok(Math.abs(sum - 1) < 1e-5, `${sum}`);
        }
      }
      await digits.close();
    });

    test('is batch-invariant exactly if its card says so', async () => {
      const images = await manyImages(64, readSamples);
      const dataset = { count: 64, images, labels: new Uint8Array(64) };
      assert.equal(await isBatchInvariant(file, dataset), (await readCard()).batch_invariant);
    });

    test('reads its ten samples right, which are one of each digit', async () => {
      const { samples } = await readSamples();
      assert.deepEqual(
        samples.map(({ label }) => label),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
      const digits = await openDigits(file, 1);
      const { labels } = await digits.answer(Float32Array.from(samples.flatMap(({ image }) => image)));
      await digits.close();
      assert.deepEqual([...labels], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test('holds as many numbers as its card says', async () => {
      const { graph } = await loadModel(file);
      const weights = graph?.initializers.filter((one) => /_(weights|biases)$/.test(one.name ?? '')) ?? [];
      const sizes = weights.map(({ dims }) => Number(dims.reduce((product, extent) => product * extent, 1n)));
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        (await readCard()).parameters,
      );
    });
  });
}

/** The samples over and over, each time with other pixels inked a little more. */
async function manyImages(count: number, readSamples: () => Promise<Samples>): Promise<Float32Array> {
  const { samples } = await readSamples();
  return Float32Array.from({ length: count * pixels }, (_, at) => {
    const copy = Math.floor(at / pixels);
    const ink = samples[copy % samples.length]?.image[at % pixels] ?? 0;
    return Math.min(16, ink + ((at * 7 + copy) % 11 === 0 ? 2 : 0));
  });
}
