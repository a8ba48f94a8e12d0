import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import type { Tensor } from '../../gateway/protocols/tensors.ts';
import { type BatchedModel, Batcher, type Computed } from '../../gateway/worker/batcher.ts';
import type { Engine, RunResult } from '../../gateway/worker/engine.ts';
import { repetitions } from '../support/counts.ts';

/** An engine that computes when the test says so: it gives every input back, doubled where it is of bytes. */
class HandEngine implements Engine {
  readonly runs: { readonly key: string; readonly inputs: readonly Tensor[] }[] = [];
  /** Rows with this value make the whole run fail. */
  poison: number | null = null;
  #waiting: { readonly inputs: readonly Tensor[]; settle(result: RunResult | Error): void }[] = [];

  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  load(): Promise<never> {
    return Promise.reject(new Error('nothing is loaded here'));
  }

  run(key: string, inputs: readonly Tensor[]): Promise<RunResult> {
    assert.equal(this.isBusy, false, 'the engine takes one call at a time');
    this.runs.push({ key, inputs });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ inputs, settle: (result) => (result instanceof Error ? reject(result) : resolve(result)) });
    });
  }

  /** Ends the run under way, and lets what follows from it happen. */
  async finish(): Promise<void> {
    const run = this.#waiting.shift();
    assert.ok(run !== undefined, 'nothing is being computed');
    const isPoisoned = run.inputs.some(
      ({ data }) => data instanceof Uint8Array && data.some((value) => value === this.poison),
    );
    run.settle(isPoisoned ? new Error('poisoned') : { outputs: run.inputs.map(doubled), tookMs: 5 });
    await settle();
  }

  async finishAll(): Promise<void> {
    while (this.isBusy) await this.finish();
  }
}

function doubled(input: Tensor): Tensor {
  return { ...input, data: input.data instanceof Uint8Array ? input.data.map((value) => value * 2) : input.data };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const model: BatchedModel = { key: 'm/1', maxBatch: 4 };
const never = new AbortController().signal;

function rowsOf(...values: readonly number[]): Tensor[] {
  return [{ name: 'x', datatype: 'UINT8', shape: [values.length, 1], data: Uint8Array.from(values) }];
}

function valuesOf({ outputs }: Computed): number[] {
  return [...(outputs[0]?.data ?? [])].map(Number);
}

function newBatcher() {
  const engine = new HandEngine();
  const batches: [string, number, number][] = [];
  const batcher = new Batcher({ engine, onBatch: (...batch) => batches.push(batch) });
  const sizes = (): number[] => engine.runs.map(({ inputs }) => inputs[0]?.shape[0] ?? -1);
  return { engine, batcher, batches, sizes };
}

describe('the batcher', () => {
  test('computes a lone request at once, before anything else happens', () => {
    const { engine, batcher } = newBatcher();
    void batcher.compute(model, rowsOf(1), never);
    assert.equal(engine.runs.length, 1);
    assert.deepEqual([batcher.queued, batcher.inFlight], [0, 1]);
  });

  test('takes all that is queued the moment the engine is free', async () => {
    const { engine, batcher, batches, sizes } = newBatcher();
    const answers = [1, 2, 3, 4].map((value) => batcher.compute(model, rowsOf(value), never));
    assert.deepEqual([batcher.queued, batcher.inFlight], [3, 4]);
    await engine.finish();
    assert.deepEqual([batcher.queued, batcher.inFlight], [0, 3]);
    await engine.finish();
    assert.deepEqual(sizes(), [1, 3]);
    assert.deepEqual((await Promise.all(answers)).map(valuesOf), [[2], [4], [6], [8]]);
    assert.deepEqual(
      (await Promise.all(answers)).map((one) => [one.serviceMs, one.batchRows]),
      [
        [5, 1],
        [5, 3],
        [5, 3],
        [5, 3],
      ],
    );
    assert.deepEqual(batches, [
      ['m/1', 1, 5],
      ['m/1', 3, 5],
    ]);
    assert.deepEqual([batcher.queued, batcher.inFlight], [0, 0]);
  });

  test('never puts more rows together than the model takes, and lets small requests fill the gap', async () => {
    const { engine, batcher, sizes } = newBatcher();
    const asked = [[1], [1, 2, 3], [4, 5], [6], [7, 8]];
    const answers = asked.map((values) => batcher.compute(model, rowsOf(...values), never));
    await engine.finishAll();
    assert.deepEqual(sizes(), [1, 4, 4]);
    assert.deepEqual(
      (await Promise.all(answers)).map(valuesOf),
      asked.map((values) => values.map((value) => value * 2)),
    );
  });

  test('lets the oldest request decide which model is next, and puts only like requests together', async () => {
    const { engine, batcher } = newBatcher();
    const other = { key: 'n/1', maxBatch: 4 };
    const wide = (value: number): Tensor[] => [
      { name: 'x', datatype: 'UINT8', shape: [1, 2], data: Uint8Array.of(value, value) },
    ];
    void batcher.compute(model, rowsOf(0), never);
    void batcher.compute(other, rowsOf(1), never);
    void batcher.compute(model, rowsOf(2), never);
    void batcher.compute(model, wide(3), never);
    void batcher.compute(other, rowsOf(4), never);
    void batcher.compute(model, rowsOf(5), never);
    await engine.finishAll();
    assert.deepEqual(
      engine.runs.map(({ key, inputs }) => [key, [...(inputs[0]?.data ?? [])].map(Number)]),
      [
        ['m/1', [0]],
        ['n/1', [1, 4]],
        ['m/1', [2, 5]],
        ['m/1', [3, 3]],
      ],
    );
  });

  test('computes requests of a model whose rows cannot be put together one by one, each as one row', async () => {
    const { engine, batcher, batches } = newBatcher();
    const single = { key: 's/1', maxBatch: null };
    for (let n = 0; n < 3; n++) void batcher.compute(single, rowsOf(n, n), never);
    await engine.finishAll();
    assert.deepEqual(batches, Array(3).fill(['s/1', 1, 5]));
  });

  test('does not let a request that cannot be computed fail its neighbours', async () => {
    const { engine, batcher, sizes } = newBatcher();
    engine.poison = 66;
    const asked = [0, 1, 66, 3];
    const answers = Promise.allSettled(asked.map((value) => batcher.compute(model, rowsOf(value), never)));
    await engine.finish();
    await engine.finish();
    assert.equal(batcher.inFlight, 3);
    await engine.finish();
    await engine.finish();
    assert.equal(batcher.inFlight, 1, 'what has failed is not in flight any more');
    await engine.finishAll();
    assert.deepEqual(
      (await answers).map((one) => (one.status === 'fulfilled' ? valuesOf(one.value) : one.reason.message)),
      [[0], [2], 'poisoned', [6]],
    );
    assert.deepEqual(sizes(), [1, 3, 1, 1, 1]);
    assert.equal(batcher.inFlight, 0);
  });

  test('goes on after a lone request has failed', async () => {
    const { engine, batcher } = newBatcher();
    engine.poison = 66;
    const failed = assert.rejects(batcher.compute(model, rowsOf(66), never), /poisoned/);
    const next = batcher.compute(model, rowsOf(1), never);
    await engine.finishAll();
    await failed;
    assert.deepEqual(valuesOf(await next), [2]);
    assert.equal(batcher.inFlight, 0);
  });

  test('drops a request whose client leaves while it waits, and only while it waits', async () => {
    const { engine, batcher, sizes } = newBatcher();
    const running = new AbortController();
    const waiting = new AbortController();
    const first = batcher.compute(model, rowsOf(1), running.signal);
    const second = batcher.compute(model, rowsOf(2), waiting.signal);
    const third = batcher.compute(model, rowsOf(3), never);
    const reason = new Error('left');
    running.abort(reason);
    waiting.abort(reason);
    await assert.rejects(second, reason);
    assert.deepEqual([batcher.queued, batcher.inFlight], [1, 2]);
    await engine.finishAll();
    assert.deepEqual([valuesOf(await first), valuesOf(await third)], [[2], [6]]);
    assert.deepEqual(sizes(), [1, 1]);
  });

  test('does not take a request whose client has left before', async () => {
    const { engine, batcher } = newBatcher();
    await assert.rejects(async () => batcher.compute(model, rowsOf(1), AbortSignal.abort(new Error('left'))), /left/);
    assert.equal(engine.runs.length, 0);
    assert.equal(batcher.inFlight, 0);
  });
});

interface Asked {
  readonly values: readonly number[];
  readonly controller: AbortController;
  readonly answer: Promise<Computed | 'left' | 'poisoned'>;
}

test('every request gets exactly its own rows, whatever comes together', async () => {
  const rounds = repetitions({ quick: 300, full: 10_000 });
  for (let seed = 1; seed <= rounds; seed++) {
    const rng = seededRng(seed);
    const { engine, batcher } = newBatcher();
    engine.poison = 99;
    const models: BatchedModel[] = [model, { key: 'n/1', maxBatch: 2 }, { key: 's/1', maxBatch: null }];
    const asked: Asked[] = [];
    for (let step = 0; step < 40; step++) {
      const chance = rng.below(10);
      if (chance < 6)
        asked.push(
          ask(
            batcher,
            models[rng.below(models.length)] ?? model,
            Array.from({ length: rng.below(3) }, () => rng.below(100)),
          ),
        );
      else if (chance < 9 && engine.isBusy) await engine.finish();
      else asked[rng.below(asked.length + 1)]?.controller.abort(new Error('left'));
    }
    await engine.finishAll();
    for (const { values, controller, answer } of asked) {
      const got = await answer;
      if (got === 'left') assert.ok(controller.signal.aborted, `seed ${seed}`);
      else if (got === 'poisoned') assert.ok(values.includes(99), `seed ${seed}`);
      else
        assert.deepEqual(
          valuesOf(got),
          values.map((value) => value * 2),
          `seed ${seed}`,
        );
    }
    assert.deepEqual([batcher.queued, batcher.inFlight], [0, 0], `seed ${seed}`);
    const most = (key: string): number => models.find((one) => one.key === key)?.maxBatch ?? 2;
    for (const { key, inputs } of engine.runs) assert.ok((inputs[0]?.shape[0] ?? 0) <= most(key), `seed ${seed}`);
  }
});

function ask(batcher: Batcher, of: BatchedModel, values: readonly number[]): Asked {
  const controller = new AbortController();
  const answer = batcher
    .compute(of, rowsOf(...values), controller.signal)
    .catch((error: Error) => (error.message === 'left' ? 'left' : 'poisoned'));
  return { values, controller, answer };
}
