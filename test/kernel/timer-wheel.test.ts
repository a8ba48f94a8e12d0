import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Alarm, TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { JumpingClock } from '../support/jumping-clock.ts';

const tickMs = 10;
const roundMs = 512 * tickMs;

/** A wheel on a virtual clock, and the instants at which its alarms rang. */
class Rig {
  readonly clock = new JumpingClock();
  readonly wheel = new TimerWheel(this.clock, tickMs);
  readonly rang: { name: string; atMs: number }[] = [];

  arm(name: string, dueAtMs: number, then: () => void = () => {}): Alarm {
    return this.wheel.arm(dueAtMs, () => {
      this.rang.push({ name, atMs: this.clock.nowMs() });
      then();
    });
  }

  get names(): string[] {
    return this.rang.map(({ name }) => name);
  }

  /** Every alarm has ended, and a tick later so has the clock timer that turned the wheel. */
  async assertAtRest(): Promise<void> {
    assert.equal(this.wheel.armedCount, 0);
    await this.clock.pass(tickMs);
    assert.equal(this.clock.pending, 0, 'a clock timer was left');
  }
}

describe('an alarm', () => {
  it('rings once, not early and at most one tick late, wherever in a tick it is due', async () => {
    const rig = new Rig();
    for (let dueAtMs = 1; dueAtMs <= 40; dueAtMs++) rig.arm(String(dueAtMs), dueAtMs);
    await rig.clock.runUntil(100);
    assert.equal(rig.rang.length, 40);
    for (const { name, atMs } of rig.rang) {
      const lateMs = atMs - Number(name);
      assert.ok(lateMs >= 0 && lateMs <= tickMs, `due at ${name}, rang at ${atMs}`);
    }
    await rig.assertAtRest();
  });

  it('rings at most one tick late also on a wheel that began to turn in the middle of a tick', async () => {
    for (let beginsAtMs = 1; beginsAtMs < tickMs; beginsAtMs++) {
      const rig = new Rig();
      await rig.clock.runUntil(beginsAtMs);
      for (let dueAtMs = beginsAtMs; dueAtMs <= 40; dueAtMs++) rig.arm(String(dueAtMs), dueAtMs);
      await rig.clock.runUntil(100);
      for (const { name, atMs } of rig.rang) {
        const lateMs = atMs - Number(name);
        assert.ok(lateMs <= tickMs, `begun at ${beginsAtMs}, due at ${name}: rang at ${atMs}, ${lateMs} ms late`);
      }
    }
  });

  it('that is due already rings at the next turn, not within the call that arms it', async () => {
    const rig = new Rig();
    await rig.clock.runUntil(1000);
    rig.arm('past', 5);
    assert.deepEqual(rig.rang, []);
    await rig.clock.runUntil(1000 + tickMs);
    assert.deepEqual(rig.names, ['past']);
  });

  it('hours ahead waits through many rounds and rings on its tick', async () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock, 250);
    const rang: number[] = [];
    const dueAtMs = 2 * 3_600_000 + 1;
    wheel.arm(dueAtMs, () => rang.push(clock.nowMs()));
    await clock.runUntil(dueAtMs - 1);
    assert.deepEqual(rang, []);
    await clock.runUntil(dueAtMs + 250);
    assert.equal(rang.length, 1);
    await clock.runAll();
    assert.equal(clock.pending, 0);
  });

  it('in the same slot, a round later than another, does not ring with it', async () => {
    const rig = new Rig();
    rig.arm('next round', 50 + roundMs);
    rig.arm('this round', 50);
    await rig.clock.runUntil(50 + tickMs);
    assert.deepEqual(rig.names, ['this round']);
    await rig.clock.runUntil(50 + roundMs + tickMs);
    assert.deepEqual(rig.names, ['this round', 'next round']);
  });

  it('without an end never rings until it is given one', async () => {
    const rig = new Rig();
    const alarm = rig.arm('endless', Number.POSITIVE_INFINITY);
    await rig.clock.runUntil(2 * roundMs);
    assert.deepEqual(rig.rang, []);
    alarm.moveTo(2 * roundMs + 35);
    await rig.clock.runUntil(2 * roundMs + 40);
    assert.deepEqual(rig.names, ['endless']);
    await rig.assertAtRest();
  });

  it('that is given an end and loses it again does not ring, and can be disarmed', async () => {
    const rig = new Rig();
    const alarm = rig.arm('endless', Number.POSITIVE_INFINITY);
    for (const endMs of [50, 3 * roundMs]) {
      alarm.moveTo(rig.clock.nowMs() + endMs);
      await rig.clock.runUntil(rig.clock.nowMs() + 20);
      alarm.moveTo(Number.POSITIVE_INFINITY);
      await rig.clock.runUntil(rig.clock.nowMs() + 4 * roundMs);
    }
    assert.deepEqual(rig.rang, []);
    const other = rig.arm('other', rig.clock.nowMs() + 30);
    alarm.disarm();
    alarm.moveTo(rig.clock.nowMs() + 10);
    await rig.clock.runUntil(rig.clock.nowMs() + 50);
    assert.deepEqual(rig.names, ['other'], 'and its neighbours are as they were');
    other.disarm();
    await rig.assertAtRest();
  });
});

describe('moving an alarm', () => {
  it('later, again and again, keeps it from ringing', async () => {
    const rig = new Rig();
    const alarm = rig.arm('idle', 30);
    for (let atMs = 20; atMs <= 2000; atMs += 20) {
      await rig.clock.runUntil(atMs);
      alarm.moveTo(atMs + 30);
    }
    assert.deepEqual(rig.rang, []);
    await rig.clock.runUntil(2030 + tickMs);
    assert.deepEqual(rig.rang, [{ name: 'idle', atMs: 2030 }]);
  });

  it('earlier brings it forward, also across rounds and into the past', async () => {
    const rig = new Rig();
    rig.arm('far', 3 * roundMs).moveTo(70);
    const past = rig.arm('past', 9000);
    await rig.clock.runUntil(30);
    past.moveTo(10);
    await rig.clock.runUntil(40);
    assert.deepEqual(rig.rang, [{ name: 'past', atMs: 40 }]);
    await rig.clock.runUntil(80);
    assert.deepEqual(rig.rang.slice(1), [{ name: 'far', atMs: 70 }]);
    await rig.assertAtRest();
  });

  it('later and then earlier again counts from the last word', async () => {
    const rig = new Rig();
    const alarm = rig.arm('moved', 50);
    alarm.moveTo(5000);
    alarm.moveTo(100);
    await rig.clock.runUntil(90);
    assert.deepEqual(rig.rang, []);
    await rig.clock.runUntil(100);
    assert.deepEqual(rig.names, ['moved']);
  });

  it('does not wake one that has rung or was disarmed', async () => {
    const rig = new Rig();
    const rung = rig.arm('rung', 10);
    const disarmed = rig.arm('disarmed', 10);
    disarmed.disarm();
    await rig.clock.runUntil(20);
    for (const alarm of [rung, disarmed]) alarm.moveTo(15);
    await rig.clock.runUntil(200);
    assert.deepEqual(rig.names, ['rung']);
    await rig.assertAtRest();
  });
});

describe('disarming', () => {
  it('silences an alarm; doing so twice, or after it rang, counts once', async () => {
    const rig = new Rig();
    const silenced = rig.arm('silenced', 30);
    const rung = rig.arm('rung', 10);
    rig.arm('other', 30);
    silenced.disarm();
    silenced.disarm();
    assert.equal(rig.wheel.armedCount, 2);
    await rig.clock.runUntil(10);
    rung.disarm();
    assert.equal(rig.wheel.armedCount, 1);
    await rig.clock.runUntil(40);
    assert.deepEqual(rig.names, ['rung', 'other']);
    await rig.assertAtRest();
  });

  it('the last alarm lets the wheel stand still, and the next one starts it again', async () => {
    const rig = new Rig();
    rig.arm('first', 100).disarm();
    await rig.assertAtRest();
    await rig.clock.runUntil(12_345);
    rig.arm('second', 12_360);
    await rig.clock.runUntil(12_380);
    assert.deepEqual(rig.names, ['second']);
    await rig.assertAtRest();
  });

  it('another alarm of the same tick while one rings keeps the other silent', async () => {
    const rig = new Rig();
    rig.arm('first', 20, () => second.disarm());
    const second = rig.arm('second', 20);
    rig.arm('third', 20);
    await rig.clock.runUntil(40);
    assert.deepEqual(rig.names, ['first', 'third']);
    await rig.assertAtRest();
  });
});

describe('a wheel', () => {
  it('takes alarms armed and moved while one rings', async () => {
    const rig = new Rig();
    const moved = rig.arm('moved', 60);
    rig.arm('first', 20, () => {
      rig.arm('armed', 25);
      moved.moveTo(20);
    });
    await rig.clock.runUntil(50);
    assert.deepEqual(rig.names.toSorted(), ['armed', 'first', 'moved']);
    await rig.assertAtRest();
  });

  it('whose process slept for longer than a round rings, at its next turn, all that fell due and nothing else', async () => {
    const rig = new Rig();
    for (const dueAtMs of [15, 400, roundMs, roundMs + 7, 2 * roundMs]) rig.arm('due', dueAtMs);
    const sleepMs = 3 * roundMs + 3;
    rig.arm('later', sleepMs + 300);
    rig.clock.jump(sleepMs);
    await rig.clock.pass(tickMs);
    assert.deepEqual(rig.names, ['due', 'due', 'due', 'due', 'due']);
    await rig.clock.pass(300);
    assert.deepEqual(rig.names.slice(5), ['later']);
    await rig.assertAtRest();
  });

  it('never rings what was armed when it was closed, and turns no more', async () => {
    const rig = new Rig();
    rig.arm('silenced', 50);
    rig.wheel.close();
    await rig.clock.runAll();
    assert.equal(rig.clock.pending, 0);
    await rig.clock.runUntil(100);
    assert.deepEqual(rig.rang, []);
    rig.arm('too late', 150);
    await rig.clock.runUntil(200);
    assert.deepEqual(rig.rang, [], 'arming does not set it going again');
    assert.equal(rig.clock.pending, 0);
  });

  it('closed by one of its own alarms rings no other', async () => {
    const rig = new Rig();
    rig.arm('closes', 20, () => rig.wheel.close());
    for (const dueAtMs of [20, 25, 50]) rig.arm('silenced', dueAtMs);
    await rig.clock.runUntil(200);
    assert.deepEqual(rig.names, ['closes']);
    assert.equal(rig.clock.pending, 0, 'it still turns');
  });
});
