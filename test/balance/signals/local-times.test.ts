import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadSignal, Ticket } from '../../../gateway/balance/signal.ts';
import { leastTime } from '../../../gateway/balance/signals/least-time.ts';
import { peakEwma } from '../../../gateway/balance/signals/peak-ewma.ts';
import { LoadBoard } from '../../../gateway/kernel/load-board.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { lightWork } from '../../../gateway/pipeline/ask.ts';

/** A meter that knows nothing but what it sees from here. */
function newMeter(signal: LoadSignal) {
  const clock = new VirtualClock();
  const slot = new LoadBoard(1).takeSlot();
  const unknown = { slots: null, slotsEstimated: 1, isBesideKnown: false };
  const meter = signal.newMeter({ slot, clock, ...unknown, othersInFlight: () => 0, doubtServiceTime() {} });
  const begin = (): Ticket => {
    slot.addInFlight(1);
    return meter.begin(lightWork);
  };
  const settle = (ticket: Ticket): void => {
    slot.addInFlight(-1);
    ticket.settle('succeeded');
  };
  const serve = async (times: number, tookMs: number): Promise<void> => {
    for (let n = 0; n < times; n++) {
      const ticket = begin();
      await clock.runUntil(clock.nowMs() + tookMs);
      ticket.firstByte();
      settle(ticket);
    }
  };
  return { clock, begin, settle, serve, cost: () => meter.costOf(lightWork, clock.nowMs()) };
}

describe('least time', () => {
  it('is the mean time until the first byte in steps of 20 ms, times what would be in flight', async () => {
    const { serve, cost, begin, settle } = newMeter(leastTime);
    await serve(100, 90);
    assert.equal(cost(), 100);
    const held = [begin(), begin()];
    assert.equal(cost(), 300);
    for (const one of held) settle(one);
    assert.equal(cost(), 100);
  });

  it('is the age of what waits where that is more, but no more than 5 s', async () => {
    const { clock, serve, cost, begin } = newMeter(leastTime);
    await serve(100, 90);
    begin();
    await clock.runUntil(clock.nowMs() + 400);
    assert.equal(cost(), 2 * 400);
    await clock.runUntil(clock.nowMs() + 60_000);
    assert.equal(cost(), 2 * 5_000);
  });

  it('does not count a stream that has begun among what waits', async () => {
    const { clock, serve, cost, begin } = newMeter(leastTime);
    await serve(100, 90);
    const stream = begin();
    stream.firstByte();
    await clock.runUntil(clock.nowMs() + 5_000);
    assert.equal(cost(), 2 * 100);
  });

  it('halves for every ten seconds in which a replica is not used', async () => {
    const { clock, serve, cost } = newMeter(leastTime);
    await serve(100, 400);
    assert.equal(cost(), 400);
    await clock.runUntil(clock.nowMs() + 20_100);
    assert.equal(cost(), 100);
  });
});

describe('peak latency', () => {
  it('rises at once with a slow answer, and falls slowly after it', async () => {
    const { serve, cost } = newMeter(peakEwma);
    await serve(1, 1_000);
    assert.ok(Math.abs(cost() - 1_000) < 1);
    await serve(1, 10);
    assert.ok(cost() > 900, `${cost()}`);
    await serve(3_000, 10);
    assert.ok(cost() < 100, `${cost()}`);
  });

  it('is multiplied by what would be in flight, and fades where nothing is sent', async () => {
    const { clock, serve, cost, begin } = newMeter(peakEwma);
    await serve(1, 1_000);
    begin();
    assert.ok(Math.abs(cost() - 2_000) < 1);
    await clock.runUntil(clock.nowMs() + 10_000);
    assert.ok(Math.abs(cost() - 2_000 / Math.E) < 5);
  });
});
