import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Replica } from '../../gateway/balance/replica.ts';
import { ReplicaState } from '../../gateway/balance/replica-state.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { exponential, lognormal } from '../../loadtest/model-server/draws.ts';
import { repetitions } from '../support/counts.ts';
import { newGate, newTime } from '../support/gates.ts';
import { hold, newReplica, tellLoad } from '../support/replicas.ts';

const meanMs = 100;

/** A replica that works on so many at once and does not say so, with requests that come by chance; time is virtual. */
class Loaded {
  readonly time = newTime();
  readonly replica: Replica;
  readonly #slots: number;
  readonly #rng;
  readonly #line: (() => void)[] = [];
  #busy = 0;

  constructor(slots: number, seed: number) {
    this.#slots = slots;
    this.#rng = seededRng(seed);
    const state = new ReplicaState({ slot: new LoadBoard(1).takeSlot(), gate: newGate(), ...this.time });
    this.replica = newReplica({ state });
  }

  get estimate(): number {
    return this.replica.state.slotsEstimated;
  }

  /** Runs at a share of what it can do, until so many have come. */
  async run(load: number, count: number): Promise<void> {
    const { clock } = this.time;
    for (let n = 0; n < count; n++) {
      await clock.runUntil(clock.nowMs() + (exponential(this.#rng) * meanMs) / (this.#slots * load));
      this.#send();
    }
  }

  #send(): void {
    const lease = hold(this.replica);
    const begin = (): void => {
      this.#busy += 1;
      this.time.clock.after(meanMs * lognormal(this.#rng, 1), () => {
        this.#busy -= 1;
        lease.firstByte();
        lease.release('succeeded');
        this.#line.shift()?.();
      });
    };
    if (this.#busy < this.#slots) begin();
    else this.#line.push(begin);
  }
}

const seeds = Array.from({ length: repetitions({ quick: 1, full: 10 }) }, (_, at) => at + 1);

describe('the slots of a replica that does not say them', () => {
  it('are held to be 1 before anything is known', () => {
    const replica = newReplica();
    assert.equal(replica.state.slotsEstimated, 1);
    assert.ok(!replica.state.slotEstimate.isKnown);
  });

  it('are found to be 1 where it works on one at a time, however many wait', async () => {
    for (const seed of seeds) {
      const loaded = new Loaded(1, seed);
      for (const load of [0.2, 0.5, 0.8, 1.1]) {
        await loaded.run(load, 2_000);
        assert.ok(loaded.estimate >= 1 && loaded.estimate < 2, `seed ${seed}, load ${load}: ${loaded.estimate}`);
      }
    }
  });

  it('are found to be about 64 where it works on 64, as its load grows, and no more beyond', async () => {
    for (const seed of seeds) {
      const loaded = new Loaded(64, seed);
      let last = 0;
      for (const load of [0.1, 0.3, 0.6, 0.95]) {
        await loaded.run(load, 4_000);
        assert.ok(loaded.estimate > last, `seed ${seed}, load ${load}: ${last} -> ${loaded.estimate}`);
        last = loaded.estimate;
      }
      assert.ok(last > 45 && last < 80, `seed ${seed}: ${last}`);
      await loaded.run(1.2, 4_000);
      assert.ok(loaded.estimate > 45 && loaded.estimate < 90, `seed ${seed}, overloaded: ${loaded.estimate}`);
      await loaded.run(0.1, 2_000);
      assert.ok(loaded.estimate > 45, `seed ${seed}: forgotten as soon as its load is gone: ${loaded.estimate}`);
    }
  });

  it('are not learned from answers that failed or were not waited for', () => {
    const { replica } = new Loaded(1, 1);
    for (const as of ['failed', 'refused', 'abandoned'] as const)
      for (let n = 0; n < 200; n++) hold(replica).release(as);
    assert.ok(!replica.state.slotEstimate.isKnown);
  });

  it('are not estimated while it says them', async () => {
    const loaded = new Loaded(4, 1);
    tellLoad(loaded.replica, { slots: 4 });
    await loaded.run(0.5, 300);
    assert.ok(!loaded.replica.state.slotEstimate.isKnown);
    tellLoad(loaded.replica, { slots: null });
    await loaded.run(0.5, 300);
    assert.ok(loaded.replica.state.slotEstimate.isKnown);
  });

  it('bind nothing', async () => {
    const loaded = new Loaded(1, 1);
    await loaded.run(0.5, 500);
    for (let n = 0; n < 50; n++) hold(loaded.replica);
    assert.ok(loaded.replica.hasCredit);
  });
});
