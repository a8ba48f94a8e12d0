import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Replica } from '../../gateway/balance/replica.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, type Call, type SimulatedBackend, Simulation } from '../support/simulation.ts';

const never = Number.POSITIVE_INFINITY;
const ok: Script = { headAfterMs: 5 };
const status = (code: number, headAfterMs = 5): Script => ({ headAfterMs, status: code });
const refuses: Script = { refusesAfterMs: 1 };

/** One backend whose replicas a, b, c and so on do as `does` says at the moment; each request is tried once unless said otherwise. */
class Gates {
  readonly simulation: Simulation;
  readonly replicas: readonly Replica[];
  readonly does: Script[];

  constructor(does: readonly Script[], more: Partial<SimulatedBackend> = {}, slots?: number) {
    this.does = [...does];
    const replicas = does.map((_, at) => ({
      id: 'abcdefgh'[at] ?? '',
      script: () => this.does[at] ?? ok,
      ...(slots === undefined ? {} : { slots }),
    }));
    const backend = { name: 'pool', policy: 'round-robin' as const, retry: { maxTries: 1 }, replicas, ...more };
    this.simulation = new Simulation({ seed: 3, backends: [backend] });
    this.replicas = this.simulation.backends[0]?.replicas ?? assert.fail();
  }

  get states(): string {
    return this.replicas.map(({ gate }) => gate.state).join(' ');
  }

  a(): Replica {
    return this.replicas[0] ?? assert.fail();
  }

  seenBy(id: string): number {
    return this.simulation.replicaOf(`pool/${id}`).seen.length;
  }

  /** Sends requests one after the other. */
  async ask(count: number, call: Call = {}): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let n = 0; n < count; n++) {
      const answering = this.simulation.call(call);
      await this.pass(60);
      answers.push(await answering);
    }
    return answers;
  }

  async pass(byMs: number): Promise<void> {
    await this.simulation.clock.runUntil(this.simulation.clock.nowMs() + byMs);
  }

  /** Lets the ejection of the first replica end, a tick later at the latest. */
  async endEjection(): Promise<void> {
    assert.equal(this.a().gate.state, 'ejected');
    await this.pass((this.a().gate.story.untilMs ?? assert.fail()) - this.simulation.clock.nowMs() + 10);
  }

  get lastedMs(): number {
    const { sinceMs, untilMs } = this.a().gate.story;
    return (untilMs ?? assert.fail()) - sinceMs;
  }
}

describe('a gate', () => {
  it('ejects after five failures in a row, and an answer in between begins anew', async () => {
    const gates = new Gates([status(500), ok]);
    await gates.ask(8);
    gates.does[0] = ok;
    await gates.ask(2);
    gates.does[0] = status(500);
    await gates.ask(8);
    assert.equal(gates.states, 'passing passing', 'four failures, an answer, four failures');
    await gates.ask(2);
    assert.equal(gates.states, 'ejected passing');
  });

  it('ejects after three time-outs in a row: each counts twice', async () => {
    const gates = new Gates([{ headAfterMs: never }, ok], { timeouts: { firstByteMs: 40 } });
    await gates.ask(4);
    assert.equal(gates.states, 'passing passing', 'two');
    await gates.ask(2);
    assert.equal(gates.states, 'ejected passing', 'three');
    assert.match(gates.a().gate.story.reason, /^3 failures in a row, 3 of them time-outs/);
  });

  it('takes a probe that its own hedge overtakes for failed', async () => {
    const hedge = { after: { kind: 'delay', delayMs: 10 } as const, budgetShare: 1 };
    const gates = new Gates([status(500), ok], { hedge });
    await gates.ask(10);
    await gates.endEjection();
    gates.does[0] = { headAfterMs: never };
    const answers = await gates.ask(2);
    assert.deepEqual(
      answers.map((one) => one.status),
      [200, 200],
      'its client has the answer of the other',
    );
    assert.equal(gates.states, 'ejected passing');
  });

  it('looks at no share of fewer than ten requests', async () => {
    const gates = new Gates([ok, ok], { breaker: { consecutiveFailures: 100 } });
    gates.does[0] = status(500);
    await gates.ask(18);
    assert.equal(gates.states, 'passing passing');
    await gates.ask(2);
    assert.equal(gates.states, 'ejected passing');
  });

  it('keeps a replica out for between half and the whole of its time, twice as long each time, up to the most', async () => {
    const gates = new Gates([status(500), ok], { breaker: { ejectMs: 1_000, ejectMaxMs: 4_000 } });
    await gates.ask(10);
    const lasted: number[] = [];
    for (const wholeMs of [1_000, 2_000, 4_000, 4_000, 4_000]) {
      assert.ok(gates.lastedMs >= wholeMs / 2 && gates.lastedMs <= wholeMs, `${gates.lastedMs} of ${wholeMs} ms`);
      lasted.push(gates.lastedMs / wholeMs);
      await gates.endEjection();
      assert.equal(gates.a().gate.state, 'probing');
      await gates.ask(2);
    }
    assert.ok(Math.max(...lasted) - Math.min(...lasted) > 0.05, 'by chance');
  });

  it('lets one request through as a probe, whose success decides', async () => {
    const gates = new Gates([status(500), ok]);
    await gates.ask(10);
    await gates.endEjection();
    gates.does[0] = { headAfterMs: 500 };
    const before = gates.seenBy('a');
    const calls = Array.from({ length: 10 }, () => gates.simulation.call());
    await gates.pass(400);
    assert.equal(gates.seenBy('a'), before + 1);
    await gates.pass(200);
    assert.equal(gates.states, 'passing passing');
    await Promise.all(calls);
    assert.deepEqual(gates.simulation.leftovers(), []);
  });

  it('gives the permit of a probe back that told nothing', async () => {
    const gates = new Gates([status(500), ok]);
    await gates.ask(10);
    await gates.endEjection();
    gates.does[0] = { headAfterMs: never };
    const before = gates.seenBy('a');
    const leaving = [gates.simulation.call({ leavesAfterMs: 100 }), gates.simulation.call({ leavesAfterMs: 100 })];
    await gates.pass(200);
    await Promise.all(leaving);
    assert.deepEqual([gates.seenBy('a'), gates.states], [before + 1, 'probing passing']);
    gates.does[0] = ok;
    await gates.ask(2);
    assert.equal(gates.states, 'passing passing');
  });

  it('is changed by nothing that was sent in an earlier epoch', async () => {
    for (const [late, inTheEnd] of [
      [status(200, 20_000), 'probing'],
      [status(500, 20_000), 'passing'],
    ] as const) {
      const gates = new Gates([late, ok], { breaker: { ejectMs: 1_000 } });
      const answers = Array.from({ length: 20 }, () => gates.simulation.call());
      await gates.pass(50);
      gates.does[0] = status(500);
      await gates.ask(10);
      await gates.endEjection();
      if (inTheEnd === 'passing') {
        gates.does[0] = ok;
        await gates.ask(2);
      }
      assert.equal(gates.a().gate.state, inTheEnd);
      await gates.pass(20_000);
      await Promise.all(answers);
      assert.equal(gates.a().gate.state, inTheEnd, 'ten late answers change nothing');
    }
  });

  it('is changed by no probe that ends when an operator has ejected its replica meanwhile', async () => {
    for (const code of [200, 500]) {
      const gates = new Gates([status(500), ok]);
      await gates.ask(10);
      await gates.endEjection();
      gates.does[0] = status(code, 500);
      const calls = [gates.simulation.call(), gates.simulation.call()];
      await gates.pass(100);
      gates.a().gate.eject();
      await gates.pass(1_000);
      await Promise.all(calls);
      assert.deepEqual([gates.a().gate.state, gates.a().gate.cause], ['ejected', 'operator']);
      await gates.pass(60_000);
      assert.equal(gates.a().gate.state, 'ejected', 'and it does not come back by itself');
    }
  });

  it('takes a 4xx for the failure of a probe where 4xx brought the ejection, and for an answer elsewhere', async () => {
    for (const [first, then] of [
      [status(404), 'ejected'],
      [status(500), 'passing'],
    ] as const) {
      const gates = new Gates([first, ok]);
      await gates.ask(50);
      await gates.endEjection();
      gates.does[0] = status(404);
      await gates.ask(2);
      assert.equal(gates.a().gate.state, then);
    }
  });

  it('is out at once where the credential is bad, and its client gets 502 and nothing of the answer', async () => {
    const gates = new Gates([{ ...status(401), pieces: [{ afterMs: 0, bytes: Buffer.from('secret') }] }, ok]);
    const answers = await gates.ask(2);
    assert.equal(gates.states, 'ejected passing');
    const [refused] = answers.filter((one) => one.status !== 200);
    assert.deepEqual([refused?.status, refused?.body.length], [502, 0]);
  });
});

describe('the gates of a backend', () => {
  it('keep half of it out at the most', async () => {
    const gates = new Gates([status(500), status(500), status(500), status(500)]);
    await gates.ask(60);
    assert.equal(gates.states.split(' ').filter((state) => state === 'ejected').length, 2);
  });

  it('eject a single replica only where nothing can be sent to it', async () => {
    const gates = new Gates([status(500)]);
    await gates.ask(30);
    assert.equal(gates.states, 'passing');
    gates.does[0] = ok;
    await gates.ask(1);
    gates.does[0] = refuses;
    await gates.ask(5);
    assert.equal(gates.states, 'ejected');
    assert.deepEqual(
      (await gates.ask(1)).map((one) => one.error?.code),
      ['none_eligible'],
    );
  });

  it('let outliers have requests where fewer than half are left, which change nothing, but no unreachable one', async () => {
    for (const [bad, isAsked] of [
      [status(500), true],
      [refuses, false],
    ] as const) {
      const gates = new Gates([bad, ok, ok]);
      await gates.ask(15);
      assert.equal(gates.states, 'ejected passing passing');
      const before = gates.seenBy('a');
      const [, b] = gates.replicas;
      b?.state.setStanding('unready', 'as the test says');
      await gates.ask(6);
      assert.equal(gates.seenBy('a') > before, isAsked);
      assert.equal(gates.states, 'ejected passing passing');
    }
  });

  it('leave one alone that declines, until it is asked again, and hold nothing against it', async () => {
    const gates = new Gates([{ ...status(503), headers: { 'retry-after': '3' } }, ok]);
    const before: number[] = [];
    for (let second = 0; second < 12; second++) {
      before.push(gates.seenBy('a'));
      await gates.ask(17);
    }
    assert.ok((before[6] ?? 0) <= 7, 'a tenth of a second at first, then twice as long each time');
    assert.ok((before[11] ?? 0) - (before[6] ?? 0) <= 2, 'once in three seconds at last');
    assert.equal(gates.states, 'passing passing');
  });

  it('are not done without for long that decline now and then', async () => {
    const gates = new Gates([ok, ok]);
    for (let round = 0; round < 5; round++) {
      gates.does[0] = { ...status(503), headers: { 'retry-after': '30' } };
      while (gates.replicas[0]?.state.rest.isOver) await gates.ask(1);
      gates.does[0] = ok;
      await gates.pass(150);
      const seen = gates.seenBy('a');
      await gates.ask(4);
      assert.equal(gates.seenBy('a'), seen + 2);
    }
  });

  it('leave one alone for half a second at least, though it asks for no rest', async () => {
    const gates = new Gates([{ ...status(429), headers: { 'retry-after-ms': '0' } }, ok]);
    await gates.ask(40);
    const before = gates.seenBy('a');
    await gates.ask(100);
    const asked = gates.seenBy('a') - before;
    assert.ok(asked >= 8 && asked <= 12, `${asked} times in 6 s`);
  });

  it('ask one again at last that wants to be left alone for an hour', async () => {
    const gates = new Gates([{ ...status(503), headers: { 'retry-after': '3600' } }, ok]);
    await gates.ask(2);
    const before = gates.seenBy('a');
    await gates.pass(10_100);
    await gates.ask(2);
    assert.equal(gates.seenBy('a'), before + 1);
  });
});
