import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Prober } from '../../gateway/guard/prober.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

const everyMs = 1000;
const checkMs = 20;

/** A prober whose checks take 20 ms and find what the test says. */
class Probing {
  readonly clock = new VirtualClock();
  readonly told: string[] = [];
  readonly startedAtMs: number[] = [];
  /** What is wrong; null for nothing. */
  fault: string | null = null;
  readonly prober: Prober;

  constructor(options: { failuresToUnready?: number; successesToReady?: number; phaseShare?: number } = {}) {
    this.prober = new Prober({
      check: async () => {
        this.startedAtMs.push(this.clock.nowMs());
        const { fault } = this;
        await this.clock.sleep(checkMs);
        return fault;
      },
      tell: (isReady, reason) => this.told.push(`${isReady ? 'ready' : 'unready'}: ${reason}`),
      everyMs,
      failuresToUnready: 3,
      successesToReady: 2,
      phaseShare: 0,
      clock: this.clock,
      ...options,
    });
  }

  /** Lets some checks more be made. */
  async checks(count: number, fault: string | null): Promise<string[]> {
    this.fault = fault;
    const before = this.told.length;
    const wanted = this.startedAtMs.length + count;
    while (this.startedAtMs.length < wanted) await this.clock.runUntil(this.clock.nowMs() + 1);
    await this.clock.runUntil(this.clock.nowMs() + checkMs);
    return this.told.slice(before);
  }
}

const well = 'ready: passed its health check';

describe('a prober', () => {
  it('checks at once when it is started, and the first check decides alone', async () => {
    for (const [fault, told] of [
      [null, well],
      ['status 500', 'unready: status 500'],
    ] as const) {
      const probing = new Probing();
      probing.fault = fault;
      probing.prober.start();
      await probing.clock.runUntil(checkMs - 1);
      assert.deepEqual(probing.told, [], 'the check takes its time');
      await probing.clock.runUntil(checkMs);
      assert.deepEqual(probing.told, [told]);
    }
  });

  it('needs some failures in a row to call a ready replica unready, and some successes for the reverse', async () => {
    const probing = new Probing();
    probing.prober.start();
    await probing.clock.runUntil(checkMs);
    assert.deepEqual(await probing.checks(2, 'bad'), []);
    assert.deepEqual(await probing.checks(1, null), [well], 'one success and the count begins anew');
    assert.deepEqual(await probing.checks(2, 'bad'), []);
    assert.deepEqual(await probing.checks(1, 'worse'), ['unready: worse']);
    assert.deepEqual(await probing.checks(1, 'still bad'), ['unready: still bad']);
    assert.deepEqual(await probing.checks(1, null), []);
    assert.deepEqual(await probing.checks(1, null), [well]);
    assert.deepEqual(await probing.checks(2, 'bad'), []);
  });

  it('waits for its interval between the end of a check and the next one', async () => {
    const probing = new Probing();
    probing.prober.start();
    await probing.clock.runUntil(3 * (everyMs + checkMs) + 1);
    assert.deepEqual(probing.startedAtMs, [0, 1020, 2040, 3060]);
  });

  it('moves its second check forward by up to half an interval, so that many probers spread', async () => {
    for (const phaseShare of [0, 0.5, 1]) {
      const probing = new Probing({ phaseShare });
      probing.prober.start();
      await probing.clock.runUntil(4000);
      const secondAtMs = checkMs + everyMs * (1 - phaseShare / 2);
      assert.deepEqual(probing.startedAtMs.slice(0, 3), [0, secondAtMs, secondAtMs + everyMs + checkMs]);
    }
  });

  it('stopped tells nothing more, not even of the check under way, and leaves no timer', async () => {
    const probing = new Probing();
    probing.prober.start();
    await probing.clock.runUntil(checkMs / 2);
    probing.prober.stop();
    await probing.clock.runAll();
    assert.deepEqual(probing.told, []);
    const later = new Probing();
    later.prober.start();
    await later.clock.runUntil(500);
    later.prober.close();
    assert.equal(later.clock.pending, 0);
  });

  it('started again forgets what it knew, and the check of the time before', async () => {
    const probing = new Probing();
    probing.prober.start();
    await probing.clock.runUntil(checkMs / 2);
    probing.fault = 'gone';
    probing.prober.start();
    await probing.clock.runUntil(2 * checkMs);
    assert.deepEqual(probing.told, ['unready: gone'], 'the first of its checks decides, and the old one is not told');
    await probing.clock.runUntil(5000);
    assert.equal(probing.startedAtMs.length, 1 + 1 + 4, 'one series of checks goes on');
  });
});

it('a prober checks from its start to its stop', () => {
  const { prober } = new Probing();
  const found = [prober.isRunning];
  prober.start();
  found.push(prober.isRunning);
  prober.stop();
  found.push(prober.isRunning);
  assert.deepEqual(found, [false, true, false]);
});
