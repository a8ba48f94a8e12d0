import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LoadReport, silence } from '../../../gateway/balance/load-report.ts';
import type { LoadMeter, LoadSignal, MeterPlace, Ticket } from '../../../gateway/balance/signal.ts';
import { expectedCompletion, shortestExpected } from '../../../gateway/balance/signals/expected-completion.ts';
import { LoadBoard } from '../../../gateway/kernel/load-board.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { lightWork } from '../../../gateway/pipeline/ask.ts';

/** One meter on a clock of its own, and what it is asked and told. */
class Metered {
  readonly clock = new VirtualClock();
  readonly place: { -readonly [Key in keyof MeterPlace]: MeterPlace[Key] };
  readonly meter: LoadMeter;
  others = 0;
  readonly doubts: string[] = [];

  constructor(signal: LoadSignal, slots: number | null = 4) {
    const slot = new LoadBoard(1).takeSlot();
    const othersInFlight = (): number => this.others;
    this.place = {
      slot,
      clock: this.clock,
      slots,
      slotsEstimated: 1,
      isBesideKnown: false,
      othersInFlight,
      doubtServiceTime: (told, measured) => this.doubts.push(`${Math.round(told)} ${Math.round(measured)}`),
    };
    this.meter = signal.newMeter(this.place);
  }

  cost(rows = 1): number {
    return this.meter.costOf({ ...lightWork, rows }, this.clock.nowMs());
  }

  begin(rows = 1): Ticket {
    return this.meter.begin({ ...lightWork, rows });
  }

  /** Requests one after the other, each answered after so long. */
  async serve(count: number, tookMs: number, told: Partial<LoadReport> | null = null, rows = 1): Promise<void> {
    for (let n = 0; n < count; n++) {
      const ticket = this.begin(rows);
      await this.pass(tookMs);
      if (told !== null) ticket.report({ ...silence, ...told });
      ticket.firstByte();
      ticket.settle('succeeded');
    }
  }

  async pass(byMs: number): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs() + byMs);
  }
}

const near = (value: number, wanted: number, within = 0.15): boolean => Math.abs(value / wanted - 1) <= within;

describe('expected completion', () => {
  it('is free for a replica that nobody has tried, and not for one that is being tried', async () => {
    const metered = new Metered(expectedCompletion);
    assert.equal(metered.cost(), 0);
    const ticket = metered.begin();
    const atOnce = metered.cost();
    assert.ok(atOnce > 0);
    await metered.pass(200);
    assert.ok(metered.cost() > 10 * atOnce, 'the longer it takes, the dearer');
    ticket.settle('abandoned');
    assert.equal(metered.cost(), 0 + metered.cost(), 'and finite');
  });

  it('is the time a request takes there, a quarter more with one of four slots taken, and more for each that waits', async () => {
    const metered = new Metered(expectedCompletion);
    await metered.serve(60, 100);
    await metered.pass(5_000);
    const empty = metered.cost();
    assert.ok(near(empty, 100 * 1.25), `${empty}`);
    const tickets = [metered.begin()];
    assert.ok(near(metered.cost() / empty, 1.5 / 1.25, 0.01));
    while (tickets.length < 4) tickets.push(metered.begin());
    assert.ok(near(metered.cost() / empty, (1.25 * 2) / 1.25, 0.01), 'the fifth waits for a quarter of a service');
    for (const one of tickets) one.settle('abandoned');
    assert.ok(near(metered.cost(), empty, 0.01));
  });

  it('counts what others have in it', async () => {
    const metered = new Metered(expectedCompletion);
    await metered.serve(60, 100);
    await metered.pass(5_000);
    const alone = metered.cost();
    metered.others = 7;
    await metered.pass(1);
    assert.ok(near(metered.cost() / alone, (2 * 2) / 1.25, 0.02));
  });

  it('goes by the slots a replica seems to have, where it says nothing of them, only beside others that do', async () => {
    const [seeming, plain, known] = [null, null, 64].map((slots) => new Metered(expectedCompletion, slots));
    if (seeming === undefined || plain === undefined || known === undefined) assert.fail();
    seeming.place.slotsEstimated = 64;
    for (const metered of [seeming, plain, known]) {
      for (let n = 0; n < 30; n++) {
        const tickets = Array.from({ length: 32 }, () => metered.begin());
        await metered.pass(100);
        for (const one of tickets) one.firstByte();
        for (const one of tickets) one.settle('succeeded');
      }
      for (let n = 0; n < 32; n++) metered.begin();
      await metered.pass(50);
    }
    assert.equal(seeming.cost(), plain.cost(), 'among others that say nothing it changes nothing');
    seeming.place.isBesideKnown = true;
    seeming.meter.reprice?.();
    assert.ok(near(seeming.cost() / known.cost(), 1, 0.01), `${seeming.cost()} and ${known.cost()}`);
    assert.ok(!near(plain.cost() / known.cost(), 1, 0.15), 'and there it matters');
  });

  it('believes a replica that tells its service time rather than the clock', async () => {
    const metered = new Metered(expectedCompletion);
    await metered.serve(60, 150, { serviceSeconds: 0.1 });
    await metered.pass(5_000);
    assert.ok(near(metered.cost(), 125, 0.2), `${metered.cost()}`);
  });

  it('takes off what a request had to wait for, where slots are known', async () => {
    const metered = new Metered(expectedCompletion, 1);
    for (let n = 0; n < 60; n++) {
      const [first, second] = [metered.begin(), metered.begin()];
      await metered.pass(100);
      first.firstByte();
      first.settle('succeeded');
      await metered.pass(100);
      second.firstByte();
      second.settle('succeeded');
    }
    await metered.pass(5_000);
    assert.ok(near(metered.cost(), 200), `${metered.cost()}`);
  });

  it('counts a request of ten rows as ten', async () => {
    const metered = new Metered(expectedCompletion, 1);
    await metered.serve(60, 100);
    await metered.pass(5_000);
    const one = metered.cost();
    assert.ok(near(metered.cost(10) / one, 10, 0.01));
    const ticket = metered.begin(10);
    assert.ok(near(metered.cost() / one, 11, 0.01));
    ticket.settle('refused');
  });

  it('sees a replica slow down by what it does not answer, and forgets it when it answers again', async () => {
    const metered = new Metered(expectedCompletion);
    await metered.serve(60, 100);
    const before = metered.cost();
    const tickets = Array.from({ length: 4 }, () => metered.begin());
    const full = metered.cost();
    await metered.pass(300);
    const stalled = metered.cost();
    assert.ok(stalled > 1.8 * full, `${full} -> ${stalled}`);
    for (const one of tickets) {
      one.firstByte();
      one.settle('succeeded');
    }
    await metered.serve(30, 100);
    assert.ok(near(metered.cost(), before, 0.3), `${before} -> ${metered.cost()}`);
  });

  it('rises where answers fail, up to a hundredfold, and falls again with time', async () => {
    const metered = new Metered(expectedCompletion);
    await metered.serve(60, 100);
    await metered.pass(5_000);
    const well = metered.cost();
    for (let n = 0; n < 200; n++) metered.begin().settle('failed');
    const failing = metered.cost();
    assert.ok(failing > 50 * well && failing < 101 * well, `${failing / well}`);
    await metered.pass(40_000);
    assert.ok(metered.cost() < 2 * well);
  });

  it('halves for every ten seconds in which a replica has nothing to answer: it is given another chance', async () => {
    const metered = new Metered(expectedCompletion);
    await metered.serve(60, 100);
    await metered.pass(9_900);
    const before = metered.cost();
    await metered.pass(200);
    assert.ok(near(metered.cost() / before, 0.5, 0.01));
  });

  it('is a second where nothing good has come of three requests, and what is known is not forgotten for that', async () => {
    const end = async (metered: Metered, as: 'succeeded' | 'failed' | 'abandoned'): Promise<void> => {
      const ticket = metered.begin();
      await metered.pass(1);
      ticket.settle(as);
    };
    const metered = new Metered(shortestExpected, 1);
    for (const as of ['succeeded', 'abandoned', 'succeeded', 'abandoned'] as const) await end(metered, as);
    assert.ok(metered.cost() < 10, 'twice may be chance');
    await end(metered, 'succeeded');
    assert.ok(near(metered.cost(), 1_000), `${metered.cost()}`);
    await metered.pass(40_000);
    assert.ok(metered.cost() < 100, 'it is given another chance');
    await end(metered, 'succeeded');
    assert.ok(near(metered.cost(), 1_000), 'and lost it');
    await metered.serve(1, 100);
    assert.ok(near(metered.cost(), 100), `${metered.cost()}`);
    for (let n = 0; n < 5; n++) await end(metered, 'succeeded');
    assert.ok(near(metered.cost(), 100, 0.5), `${metered.cost()}`);
  });

  it('doubts service times that cannot be: longer than an answer took, or far shorter where nothing was ahead', async () => {
    for (const [serviceSeconds, isDoubted] of [
      [60, true],
      [0.4, false],
      [0.25, false],
      [0.1, true],
    ] as const) {
      const metered = new Metered(shortestExpected, 1);
      await metered.serve(30, 400, { serviceSeconds });
      assert.equal(metered.doubts.length > 0, isDoubted, `${serviceSeconds} s: ${metered.doubts}`);
      if (isDoubted) assert.ok(near(metered.cost(), 400), `${serviceSeconds} s: ${metered.cost()}`);
    }
    const fast = new Metered(shortestExpected, 1);
    await fast.serve(30, 15, { serviceSeconds: 0.0003 });
    assert.deepEqual(fast.doubts, [], 'the network takes its time');
  });

  it('in its plain form knows no difference between free slots and full ones', async () => {
    const metered = new Metered(shortestExpected);
    await metered.serve(60, 100);
    await metered.pass(5_000);
    const empty = metered.cost();
    metered.begin();
    assert.ok(near(metered.cost() / empty, 2, 0.01));
  });
});
