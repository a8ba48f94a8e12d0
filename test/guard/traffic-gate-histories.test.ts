import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Fleet } from '../../gateway/guard/fleet.ts';
import type { Evidence, Permit } from '../../gateway/guard/gate.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import type { GateRules } from '../../gateway/guard/trip-rules.ts';
import { repetitions } from '../support/counts.ts';
import { newTime } from '../support/gates.ts';

const rules: GateRules = {
  consecutiveFailures: 3,
  successShareBelow: 0.7,
  windowMs: 1000,
  minRequests: 5,
  ejectMs: 200,
  ejectMaxMs: 1500,
};
const otherRules: GateRules = { ...rules, consecutiveFailures: 2, windowMs: 500, ejectMs: 400, ejectMaxMs: 800 };

const which = fc.nat(200);
const evidence = fc.constantFrom<Evidence>(
  ...(['success', 'client_error', 'failure', 'failure', 'failure', 'unreachable', 'credential', 'none'] as const),
);
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('enter' as const), which }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('settle' as const), which, evidence }) },
  // As a broken replica has it: one after the other, and all alike.
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('run' as const), which, evidence, times: fc.nat(6) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), forMs: fc.oneof(fc.nat(50), fc.nat(1500)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('eject' as const, 'readmit' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), areOthers: fc.boolean() }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const history = fc.record({
  seed: fc.nat(),
  size: fc.integer({ min: 1, max: 5 }),
  steps: fc.array(step, { maxLength: 120, size: 'max' }),
});

/** A request that was let pass, as the test remembers it. */
interface Sent {
  readonly at: number;
  readonly permit: Permit;
  readonly epoch: number;
}

/** All there is to see of a gate. */
function seen(gate: TrafficGate): unknown {
  const { state, cause, story, admits, isOut } = gate;
  return { state, cause, story, admits, isOut, counts: gate.counts() };
}

class Play {
  readonly time: ReturnType<typeof newTime>;
  readonly gates: readonly TrafficGate[];
  readonly epochs: number[];
  readonly tellings: number[];
  rules = rules;
  fleet = new Fleet();
  sent: Sent[] = [];

  constructor(size: number, seed: number) {
    this.time = newTime(seed);
    this.gates = Array.from({ length: size }, () => new TrafficGate({ rules, ...this.time }));
    this.epochs = this.gates.map(() => 0);
    this.tellings = this.gates.map(() => 0);
    for (const [at, gate] of this.gates.entries()) {
      gate.obey(rules, this.fleet);
      let last = gate.story;
      gate.changed.subscribe((told) => {
        this.tellings[at] = this.#of(this.tellings, at) + 1;
        // Every other story begins an epoch; a permit given back tells none.
        if (told.story !== last) this.epochs[at] = this.#of(this.epochs, at) + 1;
        last = told.story;
      });
    }
  }

  async step(step: Step): Promise<void> {
    const outBefore = this.#outByTraffic();
    if (step.kind === 'enter') this.#enter(step.which);
    else if (step.kind === 'settle') this.#settle(step.which, step.evidence);
    else if (step.kind === 'run') this.#run(step.which, step.evidence, step.times);
    else if (step.kind === 'pass') await this.time.clock.runUntil(this.time.clock.nowMs() + step.forMs);
    else if (step.kind === 'reload') this.#reload(step.areOthers ? otherRules : rules);
    else if (step.kind === 'eject') this.#gate(step.which).eject();
    else this.#gate(step.which).readmit('by the history');
    this.#assertProbes();
    this.#assertCap(outBefore);
    this.#assertEnds();
  }

  async end(): Promise<void> {
    for (const one of [...this.sent]) this.#settleOne(one, 'none');
    await this.time.clock.runAll();
    assert.equal(this.time.wheel.armedCount, 0);
    assert.ok(this.gates.every(({ state, cause }) => state !== 'ejected' || cause === 'operator'));
    for (const gate of this.gates) gate.close();
  }

  #enter(which: number): Sent | null {
    const at = which % this.gates.length;
    const gate = this.#gate(which);
    const { admits } = gate;
    const permit = gate.enter();
    assert.equal(permit !== null, admits, 'it gives a permit where it says so');
    if (permit === null) return null;
    const sent = { at, permit, epoch: this.#of(this.epochs, at) };
    this.sent.push(sent);
    return sent;
  }

  #settle(which: number, evidence: Evidence): void {
    const one = this.sent[which % Math.max(1, this.sent.length)];
    if (one !== undefined) this.#settleOne(one, evidence);
  }

  #run(which: number, evidence: Evidence, times: number): void {
    for (let n = 0; n < times; n++) {
      const one = this.#enter(which);
      if (one !== null) this.#settleOne(one, evidence);
    }
  }

  #settleOne(one: Sent, evidence: Evidence): void {
    this.sent = this.sent.filter((other) => other !== one);
    const gate = this.#gate(one.at);
    const isLate = one.epoch !== this.#of(this.epochs, one.at);
    const before = {
      seen: seen(gate),
      state: gate.state,
      cause: gate.cause,
      tellings: this.#of(this.tellings, one.at),
    };
    one.permit.settle(evidence);
    if (isLate) {
      assert.deepEqual(seen(gate), before.seen, 'what belongs to an epoch before changes nothing');
      assert.equal(this.tellings[one.at], before.tellings, 'and nobody is told');
    } else if (before.state === 'probing') this.#assertProbeDecided(gate, before.cause, evidence);
  }

  /** By the outcome of the probe alone. */
  #assertProbeDecided(gate: TrafficGate, cause: TrafficGate['cause'], evidence: Evidence): void {
    const isFailed =
      evidence === 'unreachable' ||
      (this.gates.length > 1 &&
        (evidence === 'failure' ||
          evidence === 'credential' ||
          (evidence === 'client_error' && cause === 'client_errors')));
    const wanted = evidence === 'none' ? 'probing' : isFailed ? 'ejected' : 'passing';
    assert.equal(gate.state, wanted, `a probe came to ${evidence}`);
    if (evidence === 'none') assert.equal(gate.admits, true, 'its permit is back');
  }

  #reload(to: GateRules): void {
    const before = this.gates.map(({ state, cause, story, admits, isOut }) => ({ state, cause, story, admits, isOut }));
    this.rules = to;
    this.fleet = new Fleet();
    for (const gate of this.gates) gate.obey(to, this.fleet);
    const after = this.gates.map(({ state, cause, story, admits, isOut }) => ({ state, cause, story, admits, isOut }));
    assert.deepEqual(after, before, 'a reload lets every gate stand as it does');
  }

  #assertProbes(): void {
    for (const [at, gate] of this.gates.entries()) {
      if (gate.state === 'passing') continue;
      const epoch = this.#of(this.epochs, at);
      const inIt = this.sent.filter((one) => one.at === at && one.epoch === epoch).length;
      if (gate.state === 'probing') assert.equal(inIt, gate.admits ? 0 : 1, 'a probing gate has one request in it');
      else assert.equal(inIt, 0, 'nothing was let pass by a gate that ejects');
    }
  }

  /** Gates that keep traffic out for what it says, or will not let much through before a probe has come back. */
  #outByTraffic(): number {
    return this.gates.filter(({ cause }) => cause !== null && cause !== 'operator').length;
  }

  #assertCap(before: number): void {
    const out = this.#outByTraffic();
    const { length } = this.gates;
    assert.ok(out <= Math.max(before, 1, Math.floor(length / 2)), `${out} of ${length} are out`);
    if (length > 1) return;
    const { cause } = this.#gate(0);
    assert.ok(cause === null || cause === 'operator' || cause === 'unreachable', `a lone replica is out: ${cause}`);
  }

  /** Each lasts between half and the whole of a time that is the first one, doubled some times, and the most there is at the most. */
  #assertEnds(): void {
    for (const { state, cause, story } of this.gates) {
      if (cause === 'operator') assert.equal(state, 'ejected', 'what an operator has ejected stays so');
      assert.equal(story.untilMs !== null, state === 'ejected' && cause !== 'operator');
      if (story.untilMs === null) continue;
      const lastsMs = story.untilMs - story.sinceMs;
      const isOne = [rules, otherRules].some(({ ejectMs, ejectMaxMs }) =>
        [1, 2, 4, 8].some((times) => {
          const wholeMs = Math.min(ejectMaxMs, ejectMs * times);
          return lastsMs >= wholeMs / 2 && lastsMs <= wholeMs;
        }),
      );
      assert.ok(isOne, `an ejection of ${lastsMs} ms`);
      assert.ok(story.untilMs + 10 >= this.time.clock.nowMs(), 'it ends when it says, to one tick');
    }
  }

  #gate(which: number): TrafficGate {
    return this.gates[which % this.gates.length] ?? assert.fail();
  }

  #of(numbers: readonly number[], at: number): number {
    return numbers[at] ?? assert.fail();
  }
}

it('whatever passes, comes of it and is done by operators and reloads: a probing gate has at most one request in it, its outcome alone decides, and ejections keep their bounds', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, size, steps }) => {
      const play = new Play(size, seed);
      for (const each of steps) await play.step(each);
      await play.end();
    }),
    { numRuns: repetitions({ quick: 300, full: 10_000 }) },
  );
});
