import { Document, isSeq } from 'yaml';
import { classes, type Dataset, pixels } from './dataset.ts';
import type { Recipe } from './recipes.ts';
import type { Score } from './trainer.ts';

const source =
  'UCI Machine Learning Repository, Optical Recognition of Handwritten Digits (E. Alpaydin and C. Kaynak, 1998), doi 10.24432/C50P49';

/** What was measured of a model, for its card. */
export interface Findings {
  readonly seed: number;
  readonly epochs: number;
  readonly trainingImages: number;
  readonly validation: Score & { readonly images: number };
  /** By the ONNX file, as onnxruntime runs it. */
  readonly test: { readonly images: number; readonly correct: number };
  readonly isBatchInvariant: boolean;
  readonly multiplyAdds: number;
  readonly parameters: number;
}

/** The text of model.yaml: what the worker reads of a model, and what people should know of it. */
export function modelCard(recipe: Recipe, found: Findings): string {
  const card = {
    description: recipe.description,
    licence: { model: 'MIT', data: `CC BY 4.0, attribution: ${source}` },
    source,
    input: 'image: 8 by 8 pixels, row by row, 0 (paper) to 16 (ink)',
    classes: Array.from({ length: classes }, (_, digit) => String(digit)),
    max_batch: 64,
    warm_up: true,
    batch_invariant: found.isBatchInvariant,
    multiply_adds: found.multiplyAdds,
    parameters: found.parameters,
    accuracy: {
      test_images: found.test.images,
      correct: found.test.correct,
      share: rounded(found.test.correct / found.test.images),
    },
    training: {
      command: `node gateway/worker/training/train.ts --data DIR --seed ${found.seed}`,
      seed: found.seed,
      epochs: found.epochs,
      images: found.trainingImages,
      epochs_chosen_on: {
        images: found.validation.images,
        correct: found.validation.correct,
        share: rounded(found.validation.share),
        how: 'by a network that had not learnt from these images; the one served then learnt from all training images',
      },
    },
  };
  const document = new Document(card);
  const list = document.get('classes');
  if (isSeq(list)) list.flow = true;
  return document.toString({ lineWidth: 120 });
}

/** The text of samples.json: of each digit the image in the dataset that is most like all others of it, whatever a model makes of it. */
export function samplesFile(dataset: Dataset): string {
  const samples = Array.from({ length: classes }, (_, label) => ({ label, image: mostTypical(dataset, label) }));
  const text = JSON.stringify({ source: `${source}, optdigits.tes`, input: 'image', samples }, null, 2);
  // The numbers of an image on a few full lines, as the formatter has them.
  const filled = text.replace(/\[\s+(\d+,?\s+)+\]/g, (list) => {
    const lines = list
      .replace(/[[\]\s]+/g, '')
      .replaceAll(',', ', ')
      .replace(/(.{1,112})(?: |$)/g, '$1\n        ');
    return `[\n        ${lines.trimEnd()}\n      ]`;
  });
  return `${filled}\n`;
}

/** The image nearest to the mean of all images with this label, by the sum of squared differences. */
function mostTypical({ count, images, labels }: Dataset, label: number): number[] {
  const own = Array.from({ length: count }, (_, at) => at)
    .filter((at) => labels[at] === label)
    .map((at) => [...images.subarray(at * pixels, (at + 1) * pixels)]);
  const mean = Array.from({ length: pixels }, (_, pixel) => {
    return own.reduce((sum, image) => sum + (image[pixel] ?? 0), 0) / own.length;
  });
  const distance = (image: readonly number[]): number =>
    image.reduce((sum, ink, pixel) => sum + (ink - (mean[pixel] ?? 0)) ** 2, 0);
  return own.reduce((nearest, image) => (distance(image) < distance(nearest) ? image : nearest), own[0] ?? []);
}

function rounded(share: number): number {
  return Number(share.toFixed(4));
}
