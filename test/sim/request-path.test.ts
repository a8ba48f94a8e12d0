import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, type Call, Simulation } from '../support/simulation.ts';

const seed = 7;
const text = (value: string): Uint8Array => Buffer.from(value);
const answers = (afterMs: number, body = '{}'): Script => ({
  headAfterMs: afterMs,
  pieces: [{ afterMs: 0, bytes: text(body) }],
});

/** One backend `digits` whose replicas `a`, `b`, ... follow the scripts. */
function simulate(
  scripts: readonly ((n: number) => Script)[],
  options: { slots?: number; maxLength?: number; waitMs?: number } = {},
): Simulation {
  const { slots, maxLength = 1000, waitMs = 10_000 } = options;
  const replicas = scripts.map((script, at) => ({
    id: 'abcdef'[at] ?? 'z',
    script,
    ...(slots === undefined ? {} : { slots }),
  }));
  return new Simulation({ seed, backends: [{ name: 'digits', replicas, queue: { maxLength, waitMs } }] });
}

/** Lets everything happen, and demands that nothing is left behind. */
async function finish(simulation: Simulation, calls: readonly Promise<Answer>[]): Promise<Answer[]> {
  await simulation.clock.runAll();
  const done = await Promise.all(calls);
  assert.deepEqual(simulation.leftovers(), []);
  assert.equal(simulation.settled.length, done.length, 'every exchange is accounted once');
  return done;
}

describe('the request path', () => {
  it('relays an answer and notes what it cost', async () => {
    const simulation = simulate([() => answers(20, '{"outputs":[]}')]);
    const [answer] = await finish(simulation, [simulation.call()]);
    assert.equal(answer?.status, 200);
    assert.equal(answer?.body.toString(), '{"outputs":[]}');
    const { journal } = answer?.exchange ?? assert.fail();
    assert.deepEqual([journal.code, journal.source, journal.replica, journal.tries], ['ok', 'upstream', 'digits/a', 1]);
    assert.equal(journal.headAtMs - journal.sentAtMs, 20);
  });

  it('makes a try whose connection cannot be made once more, on another replica', async () => {
    const simulation = simulate([() => ({ refusesAfterMs: 1 }), () => answers(5)]);
    const calls = Array.from({ length: 20 }, () => simulation.call());
    const done = await finish(simulation, calls);
    assert.deepEqual([...new Set(done.map((one) => one.status))], [200]);
    assert.ok(done.every((one) => one.exchange.journal.replica === 'digits/b'));
    const retries = simulation.tried.filter((fact) => fact.kind === 'retry');
    assert.equal(
      retries.length,
      simulation.replicaOf('digits/a').seen.length,
      'as many retries as refused connections',
    );
  });

  it('answers 502 when no replica can be connected to', async () => {
    const simulation = simulate([() => ({ refusesAfterMs: 1 }), () => ({ refusesAfterMs: 1 })]);
    const [answer] = await finish(simulation, [simulation.call()]);
    assert.equal(answer?.error?.code, 'upstream_unreachable');
    assert.equal(answer?.exchange.journal.tries, 2);
  });

  it('does not repeat a request that has been sent', async () => {
    const simulation = simulate([
      () => ({ headAfterMs: 5, ends: 'broken' as const }),
      () => ({ headAfterMs: 5, ends: 'broken' as const }),
    ]);
    const [answer] = await finish(simulation, [simulation.call()]);
    assert.equal(answer?.end, 'broken');
    assert.equal(answer?.exchange.journal.tries, 1);
    assert.equal(answer?.exchange.journal.code, 'upstream_broken');
  });

  it('keeps a replica within 1.25 times its slots and lets the rest wait', async () => {
    const simulation = simulate([() => answers(100)], { slots: 4 });
    const calls = Array.from({ length: 10 }, () => simulation.call());
    await simulation.clock.runUntil(50);
    assert.equal(simulation.replicaOf('digits/a').running, 5);
    assert.equal(simulation.backends[0]?.dispatcher.waitingCount, 5);
    const done = await finish(simulation, calls);
    assert.deepEqual(
      done.map((one) => one.status),
      Array(10).fill(200),
    );
    assert.ok(done.slice(5).every((one) => one.exchange.journal.queueWaitMs === 100));
  });

  it('serves those who wait in the order they came', async () => {
    const simulation = simulate([() => answers(10)], { slots: 1 });
    const ended: number[] = [];
    const calls = Array.from({ length: 6 }, (_, at) =>
      simulation.call().then((answer) => {
        ended.push(at);
        return answer;
      }),
    );
    await finish(simulation, calls);
    assert.deepEqual(ended, [0, 1, 2, 3, 4, 5]);
  });

  it('refuses at once when the line is full, and after the wait when it does not move', async () => {
    const simulation = simulate([() => ({ headAfterMs: Number.POSITIVE_INFINITY })], {
      slots: 1,
      maxLength: 1,
      waitMs: 300,
    });
    const first = [simulation.call({ leavesAfterMs: 1000 }), simulation.call({ leavesAfterMs: 1000 })];
    const waiting = simulation.call();
    const refused = await simulation.call();
    assert.equal(refused.error?.code, 'queue_full');
    assert.equal(simulation.clock.nowMs(), 0, 'no time passed');
    const [, , waited] = await finish(simulation, [...first, waiting, Promise.resolve(refused)]);
    assert.equal(waited?.error?.code, 'queue_timeout');
    const { receivedAtMs, journal } = waited?.exchange ?? assert.fail();
    assert.ok(
      journal.endedAtMs - receivedAtMs >= 300 && journal.endedAtMs - receivedAtMs <= 310,
      'at the wait, to one tick',
    );
  });

  it('serves what it can at once, and refuses the rest, where nobody may wait', async () => {
    const simulation = simulate([() => answers(100)], { slots: 1, maxLength: 0 });
    const done = await finish(
      simulation,
      Array.from({ length: 4 }, () => simulation.call()),
    );
    assert.deepEqual(
      done.map((one) => one.exchange.journal.code),
      ['ok', 'ok', 'queue_full', 'queue_full'],
    );
  });

  it('aborts the replica at once when its client leaves, and does not blame it', async () => {
    const simulation = simulate([() => answers(1000)]);
    const [answer] = await finish(simulation, [simulation.call({ leavesAfterMs: 40 })]);
    assert.equal(answer?.error?.code, 'client_left');
    assert.equal(simulation.replicaOf('digits/a').seen[0]?.abortedAtMs, 40);
    assert.deepEqual(simulation.tried, [{ backendName: 'digits', outcome: 'abandoned', kind: 'first' }]);
  });

  it('ends what runs when the gateway waits no longer: by a refusal, or by breaking the answer off', async () => {
    const slow = [
      { afterMs: 0, bytes: text('{') },
      { afterMs: 1000, bytes: text('}') },
    ];
    const simulation = simulate([(n) => (n === 0 ? answers(1000) : { headAfterMs: 5, pieces: slow })]);
    const calls = [simulation.call(), simulation.call()];
    await simulation.clock.runUntil(50);
    simulation.running.cut(new GatewayError('shutting_down', 'as the test says'));
    const done = await finish(simulation, calls);
    assert.deepEqual(
      done.map((one) => [one.end, one.exchange.journal.code, one.exchange.journal.endedAtMs]),
      [
        ['refused', 'shutting_down', 50],
        ['abandoned', 'shutting_down', 50],
      ],
    );
    assert.deepEqual([...new Set(simulation.tried.map(({ outcome }) => outcome))], ['abandoned']);
  });

  it('sends no abort after a normal end', async () => {
    const simulation = simulate([() => answers(5)]);
    await finish(simulation, [simulation.call({ leavesAfterMs: 6 })]);
    assert.equal(simulation.replicaOf('digits/a').seen[0]?.abortedAtMs, null);
  });

  it('gives the client a place in the line only as long as it is there', async () => {
    const simulation = simulate([() => answers(100)], { slots: 1 });
    const calls = [simulation.call(), simulation.call(), simulation.call({ leavesAfterMs: 10 }), simulation.call()];
    await simulation.clock.runUntil(20);
    assert.equal(simulation.backends[0]?.dispatcher.waitingCount, 1);
    const done = await finish(simulation, calls);
    assert.deepEqual(
      done.map((one) => one.exchange.journal.code),
      ['ok', 'ok', 'client_left', 'ok'],
    );
    assert.equal(simulation.replicaOf('digits/a').seen.length, 3, 'the one that left was never sent');
  });

  it('tells a client that left while its second try waited for a replica no fault of the first one', async () => {
    const simulation = simulate([() => ({ refusesAfterMs: 30 }), () => answers(1000)], { slots: 1 });
    // Two each fill both replicas.
    const others = Array.from({ length: 4 }, () => simulation.call({ leavesAfterMs: 500 }));
    const done = await finish(simulation, others);
    const codes = done.map((one) => one.exchange.journal.code);
    assert.deepEqual(codes, ['client_left', 'client_left', 'client_left', 'client_left']);
  });
});

describe('an answer in which the model is renamed', () => {
  const begins = { afterMs: 5, bytes: text('{"model_name":') };

  async function callOnce(script: Script, call: Call): Promise<{ answer: Answer; outcomes: string[] }> {
    const simulation = new Simulation({
      seed,
      backends: [
        {
          name: 'digits',
          upstreamModel: 'digits-q8',
          replicas: [{ id: 'a', script: () => script }],
          timeouts: { totalMs: 5000, idleMs: 1000 },
        },
      ],
    });
    const [answer] = await finish(simulation, [simulation.call(call)]);
    return { answer: answer ?? assert.fail(), outcomes: simulation.tried.map(({ outcome }) => outcome) };
  }

  it('reaches the client whole', async () => {
    const pieces = [begins, { afterMs: 5, bytes: text('"digits-q8"}') }];
    const { answer, outcomes } = await callOnce({ pieces }, {});
    assert.equal(answer.body.toString(), '{"model_name":"digits"}');
    assert.deepEqual(outcomes, ['succeeded']);
  });

  it('is refused when it breaks off, or stops, before the client has seen anything of it', async () => {
    const refusals = { broken: [502, 'upstream_broken'], hangs: [504, 'upstream_timeout'] } as const;
    for (const ends of ['broken', 'hangs'] as const) {
      const { answer, outcomes } = await callOnce({ pieces: [begins], ends }, {});
      assert.deepEqual([answer.status, answer.exchange.journal.code], refusals[ends]);
      assert.deepEqual(outcomes, ['failed']);
    }
  });

  it('ends with the client that leaves meanwhile, and blames nobody', async () => {
    const { answer, outcomes } = await callOnce({ pieces: [begins], ends: 'hangs' }, { leavesAfterMs: 50 });
    assert.deepEqual([answer.status, answer.exchange.journal.code], [499, 'client_left']);
    assert.deepEqual(outcomes, ['abandoned']);
  });
});
