import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { repetitions } from '../support/counts.ts';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { assertExpected, type Mutated } from '../support/infer-mutations/expectation.ts';
import { framingMutations } from '../support/infer-mutations/framing.ts';
import { drawCase, echoModels, render } from '../support/infer-mutations/infer-case.ts';
import { inputMutations } from '../support/infer-mutations/inputs.ts';
import { messageMutations } from '../support/infer-mutations/message.ts';
import { sendRaw } from '../support/raw-http.ts';
import { modelFiles, writeFiles } from '../support/test-models.ts';
import { startWorker } from '../support/worker-process.ts';

const seed = Number(process.env.HEADGATE_SEED ?? 20_261);
const count = repetitions({ quick: 300, full: 10_000 });
const atOnce = 8;

const mutations = Object.entries({ ...messageMutations, ...inputMutations, ...framingMutations });

/** The request of one number: always the same for the same seed. Every mutation has its turn. */
function requestOf(number: number): Mutated & { readonly what: string; readonly goesDirect: boolean } {
  const rng = seededRng(seed * 1_000_003 + number);
  const [what, mutate] = mutations[number % mutations.length] ?? assert.fail();
  for (;;) {
    const mutated = mutate(drawCase(rng), rng);
    // A draw without the field in question is drawn again.
    if (mutated !== null) return { ...mutated, what, goesDirect: rng.next() < 0.25 };
  }
}

test(`${count} requests with one field changed are answered as the specification says (seed ${seed})`, async (t) => {
  const worker = await startWorker(t, writeFiles(t, modelFiles()));
  const gateway = await startGateway(
    t,
    `backends: [{ name: tensors, protocol: open-inference, models: [${echoModels.map(({ name }) => name)}], replicas: [{ url: "${worker.url}" }] }]\n`,
  );
  await eventually('the gateway is ready', async () => (await fetch(`${gateway.client}/v2/health/ready`)).ok);
  const faults: string[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const { what, draft, expected, goesDirect } = requestOf(number);
      const request = render(draft);
      try {
        assertExpected(await sendRaw(goesDirect ? worker.url : gateway.client, request), expected);
      } catch (error) {
        const { method, path, headers, body } = request;
        faults.push(
          [
            `request ${number}: ${what}, ${goesDirect ? 'at the worker' : 'by the gateway'}`,
            `${method} ${path} ${JSON.stringify(headers)}`,
            JSON.stringify(body.toString('latin1')).slice(0, 1500),
            String(error).slice(0, 1500),
          ].join('\n  '),
        );
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  assert.equal(faults.length, 0, `${faults.length} of ${count}:\n${faults.slice(0, 8).join('\n')}`);
  assert.deepEqual([worker.process.child.exitCode, gateway.process.child.exitCode], [null, null]);
  await eventually('nothing is in flight', async () => (await gateway.metric('headgate_replica_in_flight')) === 0);
  const { headers } = await fetch(`${worker.url}/v2/health/ready`);
  assert.match(headers.get('endpoint-load-metrics') ?? '', /"in_flight":0,"queued":0/);
  assert.deepEqual([await worker.process.stop(), await gateway.process.stop()], [0, 0]);
});
