import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rest } from '../../gateway/guard/rest.ts';
import { newTime } from '../support/gates.ts';

/** A rest whose ends are noted. */
function newRest(seed = 1) {
  const time = newTime(seed);
  const overAtMs: number[] = [];
  const rest = new Rest({ ...time, onOver: () => overAtMs.push(time.clock.nowMs()) });
  return { ...time, rest, overAtMs };
}

describe('a rest', () => {
  it('lasts as long as was asked for, up to a quarter more, told when it is over', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { rest, clock, overAtMs } = newRest(seed);
      rest.begin(2000);
      assert.equal(rest.isOver, false);
      const untilMs = rest.untilMs ?? assert.fail();
      assert.ok(untilMs >= 2000 && untilMs <= 2500, `until ${untilMs}`);
      await clock.runAll();
      assert.deepEqual([rest.isOver, rest.untilMs], [true, null]);
      const [toldAtMs = 0] = overAtMs;
      assert.ok(toldAtMs >= untilMs && toldAtMs <= untilMs + 10, `told at ${toldAtMs}`);
    }
  });

  it('of replicas that ask for the same is not over at the same time', () => {
    const untils = Array.from({ length: 20 }, (_, seed) => {
      const { rest } = newRest(seed);
      rest.begin(1000);
      return rest.untilMs;
    });
    assert.ok(new Set(untils).size > 15);
  });

  it('lasts a second where nothing was asked, and 8 s at the most', () => {
    for (const [askedMs, leastMs] of [
      [null, 1000],
      [3_600_000, 8000],
      [Number.POSITIVE_INFINITY, 8000],
    ] as const) {
      const { rest } = newRest();
      rest.begin(askedMs);
      const untilMs = rest.untilMs ?? 0;
      assert.ok(untilMs >= leastMs && untilMs <= 1.25 * leastMs, `${askedMs}: ${untilMs}`);
    }
  });

  it('lasts half a second at least: one that declines in no time must not draw all the traffic', () => {
    const { rest } = newRest();
    rest.begin(0);
    assert.ok((rest.untilMs ?? 0) >= 500);
  });

  it('goes on for longer when more is asked for, and never for less', async () => {
    const { rest, clock, overAtMs } = newRest();
    rest.begin(2000);
    const untilMs = rest.untilMs ?? 0;
    rest.begin(600);
    assert.equal(rest.untilMs, untilMs);
    await clock.runUntil(1000);
    rest.begin(6000);
    assert.ok((rest.untilMs ?? 0) >= 7000);
    await clock.runAll();
    assert.equal(overAtMs.length, 1);
  });

  it('that was ended before its time is over, told once, and forgotten', async () => {
    const { rest, clock, wheel, overAtMs } = newRest();
    rest.begin(8000);
    rest.end();
    rest.end();
    assert.deepEqual([rest.isOver, wheel.armedCount, overAtMs], [true, 0, [0]]);
    rest.begin(600);
    await clock.runUntil(800);
    assert.equal(rest.isOver, true, 'the next one lasts as long as it was asked for');
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
