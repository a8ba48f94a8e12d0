import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { readDigits } from '../../gateway/worker/training/dataset.ts';
import { countCorrect } from '../../gateway/worker/training/onnx-digits.ts';
import { print, runScript } from '../../gateway/worker/training/script.ts';
import { labelsThroughGateway } from './labels.ts';

interface Options {
  readonly url: string;
  readonly model: string;
  readonly data: string;
  readonly labelsOut?: string;
}

const program = new Command('through-gateway')
  .description('Send the test images of the UCI set through a running gateway and print how many come back right.')
  .requiredOption('--data <dir>', 'folder with optdigits.tes')
  .option('--url <url>', 'client port of the gateway', 'http://127.0.0.1:8080')
  .option('--model <name>', 'model to ask', 'digits')
  .option('--labels-out <file>', 'write the labels it gives there, one a line')
  .action(measure);

await runScript(program, 'node test/accuracy/through-gateway.ts --data optdigits --model digits');

async function measure({ url, model, data, labelsOut }: Options): Promise<void> {
  const test = await readDigits(join(data, 'optdigits.tes'));
  const labels = await labelsThroughGateway(url, model, test);
  if (labelsOut !== undefined) await writeFile(labelsOut, labels.join('\n').concat('\n'));
  const correct = countCorrect(labels, test);
  print(`${correct} of ${test.count} correct (${((100 * correct) / test.count).toFixed(2)} %)`);
}
