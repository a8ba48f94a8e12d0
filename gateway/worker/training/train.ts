import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { seededRng } from '../../kernel/rng.ts';
import { systemClock } from '../../kernel/system-clock.ts';
import { encodeModel } from '../onnx/file.ts';
import { modelCard, samplesFile } from './card.ts';
import { type Dataset, readDigits, splitInBlocks } from './dataset.ts';
import { countCorrect, isBatchInvariant, labelAll, openDigits } from './onnx-digits.ts';
import { type Recipe, recipes } from './recipes.ts';
import { report, runScript } from './script.ts';
import { toOnnx } from './to-onnx.ts';
import { type Score, score, train } from './trainer.ts';

interface Options {
  readonly data: string;
  readonly seed: number;
  readonly out: string;
}

const program = new Command('train')
  .description('Train the bundled digit models and write their folders. Same data and seed, same models.')
  .requiredOption('--data <dir>', 'folder with optdigits.tra, and optdigits.tes for the final report')
  .option('--seed <number>', 'where chance begins', wholeNumber, 1)
  .option('--out <dir>', 'where the folders of the models go', join(import.meta.dirname, '../models'))
  .action(trainAll);

await runScript(program, 'node gateway/worker/training/train.ts --data optdigits --seed 1');

async function trainAll({ data, seed, out }: Options): Promise<void> {
  const training = await readDigits(join(data, 'optdigits.tra'));
  const test = await readDigits(join(data, 'optdigits.tes'));
  for (const recipe of recipes) await trainOne({ recipe, training, test, seed, folder: join(out, recipe.name) });
}

interface Job {
  readonly recipe: Recipe;
  readonly training: Dataset;
  readonly test: Dataset;
  readonly seed: number;
  readonly folder: string;
}

/** Chooses how long to train, trains on everything for so long, and writes and measures what came of it. */
async function trainOne({ recipe, training, test, seed, folder }: Job): Promise<void> {
  const chosen = chooseEpochs(recipe, training, seed);
  const network = timed(`${recipe.name}: ${chosen.epochs} epochs on all ${training.count} images`, () =>
    train(training, recipe, { rng: seededRng(seed), epochs: chosen.epochs }),
  );
  const bytes = encodeModel(toOnnx(network, { name: recipe.name, docString: recipe.description }));
  await mkdir(join(folder, '1'), { recursive: true });
  await writeFile(join(folder, '1', 'model.onnx'), bytes);

  const model = await openDigits(bytes, 1);
  const correct = countCorrect(await labelAll(model, test), test);
  await model.close();
  const card = modelCard(recipe, {
    seed,
    epochs: chosen.epochs,
    trainingImages: training.count,
    validation: chosen.validation,
    test: { images: test.count, correct },
    isBatchInvariant: await isBatchInvariant(bytes, training),
    multiplyAdds: network.multiplyAdds,
    parameters: network.parameters.reduce((sum, { values }) => sum + values.length, 0),
  });
  await writeFile(join(folder, 'model.yaml'), card);
  await writeFile(join(folder, 'samples.json'), samplesFile(test));
  report(`${recipe.name}: ${correct} of ${test.count} test images, ${bytes.length} bytes, in ${folder}`);
}

interface Choice {
  readonly epochs: number;
  readonly validation: Score & { readonly images: number };
}

/** Tries each length of training on a part of the images and takes the one that does best on the rest. */
function chooseEpochs(recipe: Recipe, training: Dataset, seed: number): Choice {
  const { learning, validation } = splitInBlocks(training, 0);
  const tried = recipe.epochs.map((epochs) => {
    const network = timed(`${recipe.name}: ${epochs} epochs on ${learning.count} images`, () =>
      train(learning, recipe, { rng: seededRng(seed), epochs }),
    );
    const found = score(network, validation);
    report(`  validation: ${found.correct} of ${validation.count} correct, loss ${found.loss.toFixed(4)}`);
    return { epochs, validation: { ...found, images: validation.count } };
  });
  // Few images are wrong at all, so lengths often tie; the loss then tells them apart.
  return tried.reduce((best, one) => {
    const difference = one.validation.correct - best.validation.correct;
    return difference > 0 || (difference === 0 && one.validation.loss < best.validation.loss) ? one : best;
  });
}

function timed<T>(what: string, run: () => T): T {
  const fromMs = systemClock.nowMs();
  const result = run();
  report(`${what}: ${((systemClock.nowMs() - fromMs) / 1000).toFixed(0)} s`);
  return result;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Wanted a whole number from 0 on.');
  return value;
}
