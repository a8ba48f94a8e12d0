import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { readDigits } from './dataset.ts';
import { countCorrect, labelAll, openDigits } from './onnx-digits.ts';
import { print, runScript } from './script.ts';

interface Options {
  readonly model: string;
  readonly data: string;
  readonly labelsOut?: string;
}

const program = new Command('evaluate')
  .description('Run a digit model over the test images of the UCI set and print how many it gets right.')
  .requiredOption('--model <file>', 'ONNX file')
  .requiredOption('--data <dir>', 'folder with optdigits.tes')
  .option('--labels-out <file>', 'write the labels it gives there, one a line')
  .action(evaluate);

await runScript(program, 'node gateway/worker/training/evaluate.ts --model model.onnx --data optdigits');

async function evaluate({ model: file, data, labelsOut }: Options): Promise<void> {
  const test = await readDigits(join(data, 'optdigits.tes'));
  const model = await openDigits(file, 1);
  const labels = await labelAll(model, test);
  await model.close();
  if (labelsOut !== undefined) await writeFile(labelsOut, labels.join('\n').concat('\n'));
  const correct = countCorrect(labels, test);
  print(`${correct} of ${test.count} correct (${((100 * correct) / test.count).toFixed(2)} %)`);
}
