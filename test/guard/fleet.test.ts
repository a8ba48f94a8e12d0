import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fleet, type Sibling } from '../../gateway/guard/fleet.ts';
import type { EjectionCause } from '../../gateway/guard/gate.ts';

function sibling(isOut = false, succeeded = 0): Sibling {
  return { isOut, counts: () => ({ succeeded, clientErrors: 0, failed: 0 }) };
}

function fleetOf(size: number, out: number): Fleet {
  const fleet = new Fleet();
  for (let at = 0; at < size; at++) fleet.join(sibling(at < out));
  return fleet;
}

describe('a fleet', () => {
  it('lets half of it be ejected, rounded down, and always one', () => {
    for (const [size, most] of [
      [2, 1],
      [3, 1],
      [4, 2],
      [5, 2],
      [8, 4],
      [9, 4],
    ] as const) {
      assert.equal(fleetOf(size, most - 1).mayEject('outlier'), true, `${most} of ${size}`);
      assert.equal(fleetOf(size, most).mayEject('outlier'), false, `${most + 1} of ${size}`);
      assert.equal(fleetOf(size, most).mayEject('unreachable'), false, `${most + 1} of ${size}`);
    }
  });

  it('of one lets it go only where nothing can be sent to it: any answer is better than none', () => {
    const causes: EjectionCause[] = ['outlier', 'client_errors', 'credential', 'unreachable'];
    assert.deepEqual(
      causes.filter((cause) => fleetOf(1, 0).mayEject(cause)),
      ['unreachable'],
    );
  });

  it('sums what the others have counted, those left out that are ejected', () => {
    const fleet = new Fleet();
    const own = sibling(false, 1);
    for (const one of [own, sibling(false, 10), sibling(true, 100), sibling(false, 1000)]) fleet.join(one);
    assert.equal(fleet.countsOfOthers(own).succeeded, 1010);
    fleet.leave(own);
    assert.equal(fleet.countsOfOthers(sibling()).succeeded, 1010);
  });
});
