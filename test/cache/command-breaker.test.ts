import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CommandBreaker } from '../../gateway/cache/command-breaker.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

const mostInARow = 5;

function broken(seed = 1): { clock: VirtualClock; breaker: CommandBreaker } {
  const clock = new VirtualClock();
  const breaker = new CommandBreaker(clock, seededRng(seed));
  for (let n = 0; n < mostInARow; n++) breaker.failed();
  return { clock, breaker };
}

/** How long nothing is let through, to the millisecond. */
async function pauseMs({ clock, breaker }: ReturnType<typeof broken>): Promise<number> {
  const fromMs = clock.nowMs();
  while (!breaker.enter()) await clock.runUntil(clock.nowMs() + 1);
  return clock.nowMs() - fromMs;
}

it('failures in a row stop the asking, others do not', () => {
  const breaker = new CommandBreaker(new VirtualClock(), seededRng(1));
  for (let round = 0; round < 10; round++) {
    for (let n = 1; n < mostInARow; n++) breaker.failed();
    assert.ok(breaker.enter());
    breaker.succeeded();
  }
  for (let n = 0; n < mostInARow; n++) {
    assert.ok(breaker.enter());
    breaker.failed();
  }
  assert.ok(!breaker.enter());
});

it('after a pause one is let through, and the others when it was answered', async () => {
  const one = broken();
  await pauseMs(one);
  assert.ok(!one.breaker.enter());
  one.breaker.succeeded();
  assert.ok(one.breaker.enter());
  assert.ok(one.breaker.enter());
});

it('a pause lasts between half and the whole of its time, which doubles to two seconds', async () => {
  const pauses = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const one = broken(seed);
    for (const wholeMs of [500, 1000, 2000, 2000, 2000]) {
      const lastedMs = await pauseMs(one);
      assert.ok(lastedMs >= wholeMs / 2 && lastedMs <= wholeMs + 1, `${lastedMs} of ${wholeMs} ms, seed ${seed}`);
      one.breaker.failed();
      pauses.add(lastedMs);
    }
  }
  assert.ok(pauses.size > 50, 'two gateways do not come back together');
});

it('a pause is short again once it was answered', async () => {
  const one = broken();
  for (let n = 0; n < 4; n++) {
    await pauseMs(one);
    one.breaker.failed();
  }
  await pauseMs(one);
  one.breaker.succeeded();
  for (let n = 0; n < mostInARow; n++) one.breaker.failed();
  assert.ok((await pauseMs(one)) <= 501);
});
