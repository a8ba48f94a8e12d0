import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { countCorrect, labelAll, openDigits } from '../../gateway/worker/training/onnx-digits.ts';
import { digitsFolder, sampleDigits, testDigits } from '../accuracy/digits-data.ts';
import { labelsThroughGateway } from '../accuracy/labels.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';

const root = join(import.meta.dirname, '..', '..');
const localConfig = readFileSync(join(root, 'config', 'local.yaml'), 'utf8');

describe('the gateway as `npm start` runs it', () => {
  const afterwards: (() => unknown)[] = [];
  let gateway: RunningGateway;
  before(async () => {
    gateway = await startGateway({ after: (call) => afterwards.push(call as () => unknown) }, localConfig);
  });
  after(async () => {
    for (const call of afterwards.toReversed()) await call();
  });

  it('prints one line that begins with curl, and that line gets the right digit', async () => {
    const lines = gateway.process.stdout.split('\n').filter((line) => line.startsWith('curl'));
    assert.equal(lines.length, 1, gateway.process.stdout);
    const [, url = '', body = ''] = /^curl -s (http:\S+) -d '(.*)'$/.exec(lines[0] ?? '') ?? [];
    const response = await fetch(url, { method: 'POST', body });
    const answer = (await response.json()) as { outputs: { name: string; data: number[] }[] };
    const samples = await sampleDigits();
    const [{ data }] = (JSON.parse(body) as { inputs: [{ data: number[] }] }).inputs;
    const at = samples.labels.findIndex((_, one) =>
      data.every((ink, pixel) => samples.images[one * 64 + pixel] === ink),
    );
    assert.deepEqual(answer.outputs.find(({ name }) => name === 'label')?.data, [samples.labels[at]]);
  });

  it('gets all ten samples right', async () => {
    const samples = await sampleDigits();
    assert.deepEqual(await labelsThroughGateway(gateway.client, 'digits', samples), samples.labels);
  });

  for (const model of ['digits', 'digits-small']) {
    it(`gives the labels for ${model} that the file gives directly in onnxruntime`, async (context) => {
      const images = await testDigits();
      const through = await labelsThroughGateway(gateway.client, model, images);
      const direct = await openDigits(join(root, 'gateway', 'worker', 'models', model, '1', 'model.onnx'), 1);
      context.after(() => direct.close());
      assert.deepEqual(through, await labelAll(direct, images));
      if (digitsFolder === null) return;
      const correct = countCorrect(through, images);
      context.diagnostic(`${model}: ${correct} of ${images.count} test images right through the gateway`);
      assert.ok(model !== 'digits' || correct >= 0.975 * images.count, `${correct} of ${images.count}`);
    });
  }

  it('sends requests to both workers, which differ in cost', async () => {
    for (const replica of ['worker-1', 'worker-2']) {
      const backends = (await (await fetch(`${gateway.admin}/api/backends`)).json()) as {
        name: string;
        replicas: { id: string; report: unknown }[];
      }[];
      const found = backends.find(({ name }) => name === 'digits')?.replicas.find(({ id }) => id === replica);
      assert.notEqual(found?.report, null, `${replica} has reported its load with an answer`);
    }
  });

  it('ends with 0 when it is told to, and takes its workers with it', async () => {
    const pids = gateway.process.log.flatMap(({ name, pid }) =>
      name === 'worker' && typeof pid === 'number' ? [pid] : [],
    );
    assert.equal(await gateway.process.stop(), 0);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});
