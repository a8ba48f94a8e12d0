import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classes, type Dataset, pixels, readDigits } from '../../gateway/worker/training/dataset.ts';

const root = join(import.meta.dirname, '..', '..');
/** Not part of a clone; its place beside one, or as HEADGATE_DIGITS says. */
const folder = process.env.HEADGATE_DIGITS ?? join(root, '..', 'shared', 'data', 'optdigits');

/** Where the UCI set lies on this machine, or null. */
export const digitsFolder: string | null = existsSync(join(folder, 'optdigits.tes')) ? folder : null;

/** The ten samples that are committed, one of each digit. */
export async function sampleDigits(): Promise<Dataset> {
  const file = join(root, 'gateway', 'worker', 'models', 'digits', 'samples.json');
  const { samples } = JSON.parse(await readFile(file, 'utf8')) as { samples: { label: number; image: number[] }[] };
  return {
    count: samples.length,
    images: Float32Array.from(samples.flatMap(({ image }) => image)),
    labels: Uint8Array.from(samples.map(({ label }) => label)),
  };
}

/** The 1,797 test images where the UCI set is at hand; else as many made of the samples, each with some pixels inked anew. */
export async function testDigits(): Promise<Dataset> {
  if (digitsFolder !== null) return readDigits(join(digitsFolder, 'optdigits.tes'));
  const samples = await sampleDigits();
  const count = 1797;
  return {
    count,
    images: Float32Array.from({ length: count * pixels }, (_, at) => {
      const copy = Math.floor(at / pixels);
      const ink = samples.images[(copy % classes) * pixels + (at % pixels)] ?? 0;
      return (at * 7 + copy * 13) % 11 === 0 ? (ink + copy) % 17 : ink;
    }),
    labels: Uint8Array.from({ length: count }, (_, copy) => copy % classes),
  };
}
