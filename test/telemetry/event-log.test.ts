import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { EventLog, type TellableEvent } from '../../gateway/telemetry/event-log.ts';

/** A log, and what one reader of it was told. */
function newLog() {
  const clock = new VirtualClock();
  const log = new EventLog(clock);
  const follow = (lastId: string | null): { told: TellableEvent[]; leave: () => void } => {
    const told: TellableEvent[] = [];
    return { told, leave: log.follow(lastId, (event) => told.push(event)) };
  };
  return { clock, log, follow };
}

const numberOf = ({ data }: TellableEvent): number => JSON.parse(data).n;

describe('the log of events', () => {
  it('tells everybody who follows, from then on, with the time it is', () => {
    const { log, follow, clock } = newLog();
    log.tell('replica', { n: 0 });
    const [one, other] = [follow(null), follow(null)];
    log.tell('decision', { n: 1 });
    one.leave();
    log.tell('replica', { n: 2 });
    assert.deepEqual(one.told.map(numberOf), [1]);
    assert.deepEqual(other.told.map(numberOf), [1, 2]);
    const [first] = other.told;
    assert.equal(first?.kind, 'decision');
    assert.deepEqual(JSON.parse(first?.data ?? ''), { at: new Date(clock.wallMs()).toISOString(), n: 1 });
  });

  it('tells somebody who comes back what it has missed, each once', () => {
    const { log, follow } = newLog();
    const first = follow(null);
    for (let n = 0; n < 5; n++) log.tell('replica', { n });
    first.leave();
    for (let n = 5; n < 9; n++) log.tell('replica', { n });
    const second = follow(first.told[2]?.id ?? null);
    log.tell('replica', { n: 9 });
    assert.deepEqual(second.told.map(numberOf), [3, 4, 5, 6, 7, 8, 9]);
    assert.equal(new Set(second.told.map(({ id }) => id)).size, 7);
  });

  it('tells somebody whose last event it does not know all it still has: another process, or too long ago', () => {
    const { log, follow } = newLog();
    for (let n = 0; n < 3; n++) log.tell('replica', { n });
    assert.deepEqual(follow('of-another-process-7').told.map(numberOf), [0, 1, 2]);
  });

  it('keeps half a million characters at most', () => {
    const { log, follow } = newLog();
    const text = 'x'.repeat(10_000);
    for (let n = 0; n < 1000; n++) log.tell('decision', { n, text });
    const { told } = follow('before all');
    assert.ok(told.length > 45 && told.length <= 52, `${told.length}`);
    assert.deepEqual(
      told.map(numberOf),
      Array.from({ length: told.length }, (_, at) => 1000 - told.length + at),
    );
  });

  it('is heard while somebody follows, and for a minute after the last has left', async () => {
    const { log, follow, clock } = newLog();
    const isHeard = (): boolean => log.isHeard(clock.nowMs());
    assert.ok(!isHeard());
    const [one, other] = [follow(null), follow(null)];
    one.leave();
    await clock.runUntil(200_000);
    assert.ok(isHeard());
    other.leave();
    await clock.runUntil(259_000);
    assert.ok(isHeard());
    await clock.runUntil(261_000);
    assert.ok(!isHeard());
  });
});
