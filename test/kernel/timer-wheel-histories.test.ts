import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Alarm, TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { repetitions } from '../support/counts.ts';
import { JumpingClock } from '../support/jumping-clock.ts';

const tickMs = 10;
const roundMs = 512 * tickMs;

type Step =
  | { readonly kind: 'arm'; readonly forMs: number }
  | { readonly kind: 'pass'; readonly forMs: number }
  | { readonly kind: 'jump'; readonly forMs: number }
  | { readonly kind: 'move'; readonly which: number; readonly forMs: number }
  | { readonly kind: 'disarm'; readonly which: number };

// Mostly within a few ticks, at times across rounds, now and then in the past.
const spanMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 120 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 * roundMs }) },
);
const dueInMs = fc.oneof({ weight: 8, arbitrary: spanMs }, { weight: 1, arbitrary: fc.integer({ min: -500, max: 0 }) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('arm' as const), forMs: dueInMs }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('move' as const), which: fc.nat(50), forMs: dueInMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('disarm' as const), which: fc.nat(50) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('pass' as const), forMs: spanMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('jump' as const), forMs: spanMs }) },
);

/** What the naive model knows of an alarm: no slots, no rounds, only when it may ring. */
interface Expected {
  alarm: Alarm;
  dueAtMs: number;
  /** Before this it could not ring: it had not been told, or the process slept. */
  notBeforeMs: number;
  state: 'armed' | 'rung' | 'disarmed';
}

class Play {
  readonly clock = new JumpingClock();
  readonly wheel = new TimerWheel(this.clock, tickMs);
  readonly all: Expected[] = [];
  /** Without an end, it keeps the wheel turning. */
  readonly #keeper: Alarm | null;

  constructor(turnsAlways: boolean) {
    this.#keeper = turnsAlways ? this.wheel.arm(Number.POSITIVE_INFINITY, () => {}) : null;
  }

  async step(step: Step): Promise<void> {
    const nowMs = this.clock.nowMs();
    if (step.kind === 'arm') this.#arm(nowMs + step.forMs);
    else if (step.kind === 'pass') await this.clock.pass(step.forMs);
    else if (step.kind === 'jump') this.#jump(step.forMs);
    else {
      const one = this.all[step.which % Math.max(1, this.all.length)];
      if (one === undefined) return;
      if (step.kind === 'disarm') this.#disarm(one);
      else this.#move(one, nowMs + step.forMs);
    }
    this.assertInTime();
  }

  /** Whatever is armed and due has not waited longer than it may, and the wheel counts as the model does. */
  assertInTime(): void {
    const armed = this.all.filter(({ state }) => state === 'armed');
    assert.equal(this.wheel.armedCount, armed.length + (this.#keeper === null ? 0 : 1), 'armed alarms');
    for (const { dueAtMs, notBeforeMs } of armed) {
      const lateMs = this.clock.nowMs() - Math.max(dueAtMs, notBeforeMs);
      assert.ok(lateMs <= tickMs, `due at ${dueAtMs}, silent at ${this.clock.nowMs()}`);
    }
  }

  async end(): Promise<void> {
    await this.clock.pass(4 * roundMs);
    this.assertInTime();
    const silent = this.all.filter(({ state }) => state === 'armed');
    assert.deepEqual(silent, [], 'everything rang in the end');
    this.#keeper?.disarm();
    await this.clock.pass(tickMs);
    assert.equal(this.clock.pending, 0, 'a clock timer was left');
  }

  #arm(dueAtMs: number): void {
    const notBeforeMs = this.clock.nowMs();
    const alarm = this.wheel.arm(dueAtMs, () => {
      assert.equal(one.state, 'armed', 'it rang twice, or after it was disarmed');
      assert.ok(this.clock.nowMs() >= one.dueAtMs, `due at ${one.dueAtMs}, rang at ${this.clock.nowMs()}`);
      const lateMs = this.clock.nowMs() - Math.max(one.dueAtMs, one.notBeforeMs);
      assert.ok(lateMs <= tickMs, `due at ${one.dueAtMs}, rang at ${this.clock.nowMs()}`);
      one.state = 'rung';
    });
    const one: Expected = { alarm, dueAtMs, notBeforeMs, state: 'armed' };
    this.all.push(one);
  }

  #move(one: Expected, dueAtMs: number): void {
    one.alarm.moveTo(dueAtMs);
    one.dueAtMs = dueAtMs;
    one.notBeforeMs = this.clock.nowMs();
  }

  #disarm(one: Expected): void {
    one.alarm.disarm();
    if (one.state === 'armed') one.state = 'disarmed';
  }

  #jump(forMs: number): void {
    this.clock.jump(forMs);
    for (const one of this.all) one.notBeforeMs = Math.max(one.notBeforeMs, this.clock.nowMs());
  }
}

async function play(steps: readonly Step[], turnsAlways: boolean): Promise<void> {
  const one = new Play(turnsAlways);
  for (const each of steps) await one.step(each);
  await one.end();
}

const steps = fc.array(step, { maxLength: 60, size: 'max' });

describe('whatever is armed, moved and disarmed in whatever order', () => {
  it('on a wheel that never stands still rings once, never early and at most one tick late', async () => {
    const numRuns = repetitions({ quick: 60, full: 3000 });
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, true)),
      { numRuns },
    );
  });

  it('on a wheel that stops and starts at any instant rings once, never early and at most one tick late', async () => {
    const numRuns = repetitions({ quick: 60, full: 3000 });
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, false)),
      { numRuns },
    );
  });
});
