import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { Pace } from '../../../loadtest/model-server/pace.ts';
import { Pulse } from '../../../loadtest/model-server/pulse.ts';
import { TensorEngine } from '../../../loadtest/model-server/tensor-engine.ts';
import { repetitions } from '../../support/counts.ts';
import { drawsOf, queues, recursion, type Served, simulate, theoryOf } from './queueing.ts';

const seed = 20_261_125;
const compared = repetitions({ quick: 50_000, full: 1_000_000 });
const drawn = repetitions({ quick: 1_000_000, full: 10_000_000 });
const batch = 50_000;
/** A standard error of more than this share of what is measured would let anything pass. */
const widest = repetitions({ quick: 20, full: 6 }) / 100;

for (const queue of queues) {
  test(`the waits of ${queue.name} are those of the recursion on the same draws, to the last bit`, () => {
    const waitsMs = new Float64Array(compared).fill(Number.NaN);
    simulate(queue, { requests: compared, seed }, ({ order, waitMs }) => {
      waitsMs[order] = waitMs;
    });
    assert.deepEqual(waitsMs, Float64Array.from(recursion(queue, compared, seed)), `seed ${seed}`);
  });

  test(`the waits of ${queue.name} have the mean, and where there is one the p99, of the closed form`, () => {
    const { meanMs, p99Ms } = theoryOf(queue);
    const means = new BatchMeans();
    const beyond = new BatchMeans();
    simulate(queue, { requests: drawn, seed }, ({ waitMs }) => {
      means.add(waitMs);
      beyond.add(p99Ms !== null && waitMs > p99Ms ? 1 : 0);
    });
    means.assertMean(meanMs, 'mean wait in ms');
    // A quantile estimated from each batch would be biased; the share beyond the true one is not.
    if (p99Ms !== null) beyond.assertMean(0.01, `share of waits over ${p99Ms.toFixed(3)} ms`);
  });
}

/** The means of batches that are long enough to be independent, though one wait depends on the last. */
class BatchMeans {
  readonly #means: number[] = [];
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count += 1;
    if (this.#count < batch) return;
    this.#means.push(this.#sum / batch);
    this.#sum = 0;
    this.#count = 0;
  }

  /** Fails where what was to be expected lies outside the confidence interval of what was seen: 4 standard errors, by chance once in 15,000 times. */
  assertMean(wanted: number, what: string): void {
    assert.equal(this.#means.length, drawn / batch);
    const mean = this.#means.reduce((sum, one) => sum + one, 0) / this.#means.length;
    const variance = this.#means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (this.#means.length - 1);
    const error = Math.sqrt(variance / this.#means.length);
    const told = `${what}: ${mean.toFixed(5)} +- ${error.toFixed(5)}, wanted ${wanted.toFixed(5)}, seed ${seed}`;
    assert.ok(Math.abs(mean - wanted) <= 4 * error, told);
    assert.ok(error < widest * wanted, `the interval says nothing: ${told}`);
  }
}

test('on the virtual clock a request is answered when its engine says, and one timer suffices', async () => {
  const [queue] = queues;
  assert.ok(queue !== undefined);
  const requests = 5_000;
  const clock = new VirtualClock();
  const draws = drawsOf(queue, seed);
  const engine = new TensorEngine({
    slots: 1,
    maxQueue: Number.POSITIVE_INFINITY,
    workTime: draws.serviceMs,
    pace: new Pace([]),
    rng: seededRng(0),
  });
  const pulse = new Pulse(clock, engine);
  const served: Served[] = [];
  let mostTimers = 0;
  const arrive = (left: number): void => {
    engine.submit(clock.nowMs(), 1, (job) => {
      assert.equal(clock.nowMs(), job.dueAtMs);
      served.push(job);
    });
    pulse.rearm();
    if (left > 1) clock.after(draws.gapMs(), () => arrive(left - 1));
    mostTimers = Math.max(mostTimers, clock.pending);
  };
  clock.after(draws.gapMs(), () => arrive(requests));
  await clock.runAll();
  assert.deepEqual(
    served.map(({ waitMs }) => waitMs),
    [...recursion(queue, requests, seed)],
  );
  assert.equal(mostTimers, 2, 'that of the next arrival and that of the engine');
});

test('a server that stands still for a second makes those wait whom the recursion makes wait', () => {
  const [queue] = queues;
  assert.ok(queue !== undefined);
  const stop = { atMs: 1_000, untilMs: 2_000, by: Number.POSITIVE_INFINITY };
  const served: Served[] = [];
  simulate(queue, { requests: 20_000, seed, pace: new Pace([stop]) }, (one) => served.push(one));
  let freeAtMs = 0;
  for (const [at, { arrivedAtMs, waitMs, serviceMs }] of served.entries()) {
    const startAtMs = Math.max(arrivedAtMs, freeAtMs);
    assert.equal(waitMs, startAtMs - arrivedAtMs, `request ${at}, seed ${seed}`);
    freeAtMs = startAtMs + serviceMs;
  }
  // What works through the second takes it along, whether it was begun before or came meanwhile.
  const { serviceMs: drawnMs } = drawsOf(queue, seed);
  const longer = served.filter(({ serviceMs }) => serviceMs > drawnMs() + 0.5);
  assert.equal(longer.length, 1);
  const [{ arrivedAtMs, serviceMs }] = longer as [Served];
  assert.ok(arrivedAtMs < stop.untilMs && serviceMs > 0);
  // Half a request comes each millisecond: about 500 of them meet the stop, and as many the line behind it.
  const slow = served.filter(({ waitMs }) => waitMs > 100);
  assert.ok(slow.length > 700 && slow.length < 1_300, `${slow.length} waited, seed ${seed}`);
});
