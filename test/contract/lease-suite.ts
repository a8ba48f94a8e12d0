import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ending, Leases } from '../../gateway/cache/leases.ts';
import { keyAt } from '../support/caching/entries.ts';
import { eventually, type Scope } from '../support/gateway-process.ts';

/** Leases as two gateways see them, and how time passes for them. */
export interface LeaseWorld {
  readonly one: Leases;
  readonly other: Leases;
  pass(forMs: number): Promise<void>;
}

/** What all leases keep to while nothing is wrong. */
export function leaseSuite(name: string, newWorld: (scope: Scope) => LeaseWorld | Promise<LeaseWorld>): void {
  const longMs = 60_000;
  const shortMs = 1_000;
  let keys = 0;
  const newName = (token: string, key = keyAt(keys++)): { key: string; token: string } => ({ key, token });

  describe(name, () => {
    it('are each held by the one who took it first, until it ends it', async (t) => {
      const { one, other } = await newWorld(t);
      const mine = newName('a');
      const yours = newName('b', mine.key);
      assert.equal(await one.take(mine, longMs), 'taken');
      assert.equal(await other.take(yours, longMs), 'held');
      assert.equal(await other.take(newName('c'), longMs), 'taken', 'another key');
      assert.equal(await other.end(yours, 'stored', longMs), false);
      assert.equal(await other.renew(yours, longMs), false);
      assert.equal(await other.take(yours, longMs), 'held', 'nobody ends or renews what another holds');
      assert.equal(await one.end(mine, 'stored', longMs), true);
      assert.equal(await one.renew(mine, longMs), false);
      assert.equal(await one.end(mine, 'stored', longMs), false);
      assert.equal(await other.take(yours, longMs), 'taken');
    });

    it('come to an end by themselves, later where they were renewed', async (t) => {
      const { one, other, pass } = await newWorld(t);
      const [short, renewed] = [newName('a'), newName('a')];
      await one.take(short, shortMs);
      await one.take(renewed, shortMs);
      assert.equal(await one.renew(renewed, longMs), true);
      await pass(shortMs + 100);
      assert.equal(await other.take(newName('b', short.key), longMs), 'taken');
      assert.equal(await other.take(newName('b', renewed.key), longMs), 'held');
      assert.equal(await one.renew(short, longMs), false, 'it is the other one’s');
    });

    it('that ended because answers cannot be shared are for a while not to be had', async (t) => {
      const { one, other, pass } = await newWorld(t);
      const [short, long] = [newName('a'), newName('a')];
      for (const mine of [short, long]) await one.take(mine, longMs);
      await one.end(short, 'unshareable', shortMs);
      await one.end(long, 'unshareable', longMs);
      await pass(shortMs + 100);
      assert.equal(await other.take(newName('b', short.key), longMs), 'taken');
      assert.equal(await other.take(newName('b', long.key), longMs), 'unshareable');
    });

    it('tell how they end to all who watch, from the moment that was told', async (t) => {
      const { one, other } = await newWorld(t);
      for (const ending of ['stored', 'failed', 'unshareable'] as const) {
        const mine = newName('a');
        await one.take(mine, longMs);
        const heard: (Ending | null)[][] = [];
        const ends = [other, other, one].map((leases, at) => {
          heard[at] = [];
          return leases.watch(mine.key, (said) => heard[at]?.push(said));
        });
        await eventually('all are told that they hear what comes', () => heard.every((said) => said.includes(null)));
        assert.ok(heard.flat().every((said) => said === null));
        const late: (Ending | null)[] = [];
        ends.push(other.watch(mine.key, (said) => late.push(said)));
        await eventually('one that comes later is told so, too', () => late.length === 1);
        ends[1]?.();
        await one.end(mine, ending, longMs);
        await eventually(
          'heard',
          () => heard[0]?.at(-1) === ending && heard[2]?.at(-1) === ending && late.at(-1) === ending,
        );
        assert.ok(!heard[1]?.includes(ending), 'who watches no more is not told');
        for (const end of ends) end();
      }
    });

    it('tell of a stored answer though the lease was lost, and of nothing else', async (t) => {
      const { one, other } = await newWorld(t);
      const mine = newName('a');
      const heard: (Ending | null)[] = [];
      const end = other.watch(mine.key, (said) => heard.push(said));
      await eventually('told that it hears', () => heard.length > 0);
      for (const ending of ['failed', 'unshareable', 'stored'] as const) await one.end(mine, ending, longMs);
      await eventually('heard', () => heard.includes('stored'));
      assert.deepEqual(
        heard.filter((said) => said !== null),
        ['stored'],
      );
      end();
    });

    it('can be watched again at once', async (t) => {
      const { one, other } = await newWorld(t);
      const mine = newName('a');
      for (let round = 0; round < 20; round++) {
        const heard: (Ending | null)[] = [];
        const end = other.watch(mine.key, (said) => heard.push(said));
        if (round % 3 === 0) {
          end();
          continue;
        }
        await one.take(mine, longMs);
        await eventually('told that it hears', () => heard.length > 0);
        await one.end(mine, 'failed', longMs);
        await eventually('heard', () => heard.includes('failed'));
        end();
      }
    });
  });
}
