import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rest } from '../../gateway/guard/rest.ts';
import { newTime } from '../support/gates.ts';

/** A rest whose ends are noted. */
function newRest(seed = 1) {
  const time = newTime(seed);
  const overAtMs: number[] = [];
  const rest = new Rest({ ...time, onBegun: () => {}, onOver: () => overAtMs.push(time.clock.nowMs()) });
  return { ...time, rest, overAtMs };
}

/** It has declined so often that it may rest for as long as it asks. */
async function tired(rest: Rest, clock: ReturnType<typeof newRest>['clock']): Promise<void> {
  for (let n = 0; n < 8; n++) {
    rest.begin(8000);
    await clock.runAll();
  }
}

describe('a rest', () => {
  it('lasts a tenth of a second at first, and twice as long each time that follows, up to what was asked for', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { rest, clock, overAtMs } = newRest(seed);
      for (const wholeMs of [100, 200, 400, 800, 1600, 2000, 2000]) {
        const beganAtMs = clock.nowMs();
        rest.begin(2000);
        assert.equal(rest.isOver, false);
        const untilMs = rest.untilMs ?? assert.fail();
        const lastsMs = untilMs - beganAtMs;
        assert.ok(lastsMs >= wholeMs && lastsMs <= 1.25 * wholeMs, `${lastsMs} ms, not ${wholeMs}`);
        await clock.runAll();
        assert.deepEqual([rest.isOver, rest.untilMs], [true, null]);
        const toldAtMs = overAtMs.at(-1) ?? 0;
        assert.ok(toldAtMs >= untilMs && toldAtMs <= untilMs + 10, `told at ${toldAtMs}`);
      }
    }
  });

  it('begins anew with the shortest when a request has been served', async () => {
    const { rest, clock } = newRest();
    await tired(rest, clock);
    rest.served();
    rest.begin(8000);
    assert.ok((rest.untilMs ?? 0) - clock.nowMs() <= 125);
  });

  it('grows by one for all that is declined while it lasts: that had been sent before', async () => {
    const { rest, clock } = newRest();
    for (let n = 0; n < 20; n++) rest.begin(8000);
    await clock.runAll();
    const atMs = clock.nowMs();
    rest.begin(8000);
    assert.ok((rest.untilMs ?? 0) - atMs <= 250);
  });

  it('of replicas that ask for the same is not over at the same time', () => {
    const untils = Array.from({ length: 20 }, (_, seed) => {
      const { rest } = newRest(seed);
      rest.begin(1000);
      return rest.untilMs;
    });
    assert.ok(new Set(untils).size > 15);
  });

  it('of one that goes on declining lasts a second where nothing was asked, half a second at least, and 8 s at the most', async () => {
    for (const [askedMs, leastMs] of [
      [null, 1000],
      [0, 500],
      [3_600_000, 8000],
      [Number.POSITIVE_INFINITY, 8000],
    ] as const) {
      const { rest, clock } = newRest();
      await tired(rest, clock);
      const atMs = clock.nowMs();
      rest.begin(askedMs);
      const lastsMs = (rest.untilMs ?? 0) - atMs;
      assert.ok(lastsMs >= leastMs && lastsMs <= 1.25 * leastMs, `${askedMs}: ${lastsMs}`);
    }
  });

  it('goes on for longer when more is asked for, and never for less', async () => {
    const { rest, clock } = newRest();
    await tired(rest, clock);
    const atMs = clock.nowMs();
    rest.begin(2000);
    const untilMs = rest.untilMs ?? 0;
    rest.begin(600);
    assert.equal(rest.untilMs, untilMs);
    await clock.runUntil(atMs + 1000);
    rest.begin(6000);
    assert.ok((rest.untilMs ?? 0) >= atMs + 7000);
  });

  it('that was ended before its time is over, told once, and forgotten', async () => {
    const { rest, clock, wheel, overAtMs } = newRest();
    rest.begin(8000);
    rest.end();
    rest.end();
    assert.deepEqual([rest.isOver, wheel.armedCount, overAtMs], [true, 0, [0]]);
    rest.begin(600);
    await clock.runUntil(800);
    assert.equal(rest.isOver, true, 'the next one is a rest of its own');
  });

  it('that is closed tells nobody, and leaves no alarm', async () => {
    const { rest, clock, wheel, overAtMs } = newRest();
    rest.begin(1000);
    rest.close();
    assert.equal(wheel.armedCount, 0);
    await clock.runAll();
    assert.deepEqual(overAtMs, []);
  });
});
