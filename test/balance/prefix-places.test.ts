import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PrefixPlaces } from '../../gateway/balance/prefix-places.ts';
import type { ReplicaState } from '../../gateway/balance/replica-state.ts';
import { newReplica } from '../support/replicas.ts';

const [a, b] = ['a', 'b'].map((id) => newReplica({ id }).state) as [ReplicaState, ReplicaState];
const replicas = 4;

/** A conversation's beginnings, of which the first are those of the system prompt. */
const conversation = (id: number, length: number, system: readonly number[] = []): number[] => [
  ...system,
  ...Array.from({ length }, (_, at) => 1_000 * id + at),
];

describe('places of prefixes', () => {
  it('are those of the longest beginning that anybody got, and of whoever got it last', () => {
    const places = new PrefixPlaces(100);
    places.note([1, 2, 3], a);
    places.note([1, 2, 4], b);
    assert.equal(places.find([1, 2, 3, 9], replicas), a);
    assert.equal(places.find([1, 2, 9], replicas), b);
    assert.equal(places.find([9], replicas), null);
    assert.equal(places.find([], replicas), null);
    places.note([1, 2, 3, 5], b);
    assert.equal(places.find([1, 2, 3], replicas), b);
  });

  it('tell nothing of a beginning that more requests have than one replica can serve, and that goes on in many ways', () => {
    const places = new PrefixPlaces(1000);
    const systems = [[1, 2], [3, 4], [5]];
    for (let id = 1; id <= 60; id++) places.note(conversation(id, 3, systems[id % 3]), id % 2 === 0 ? a : b);
    for (const system of systems) {
      assert.equal(places.find(conversation(99, 3, system), replicas), null);
      assert.equal(places.find(system, replicas), null);
    }
    for (let id = 1; id <= 60; id++)
      assert.equal(places.find(conversation(id, 9, systems[id % 3]), replicas), id % 2 === 0 ? a : b, `${id}`);
  });

  it('know each of many system prompts of which a replica can serve all that have it', () => {
    const places = new PrefixPlaces(10_000);
    for (let id = 1; id <= 400; id++) places.note(conversation(id, 3, [id % 20]), id % 20 < 10 ? a : b);
    for (let id = 1; id <= 20; id++)
      assert.equal(places.find(conversation(999, 3, [id % 20]), replicas), id % 20 < 10 ? a : b);
  });

  it('stay with one conversation, though all requests are its own', () => {
    const places = new PrefixPlaces(1000);
    for (let turn = 1; turn <= 50; turn++) {
      places.note(conversation(1, turn), a);
      assert.equal(places.find(conversation(1, turn + 1), replicas), a);
    }
  });

  it('are spread where prompts have nothing but a system prompt that fills their blocks', () => {
    const places = new PrefixPlaces(1000);
    for (let n = 0; n < 10; n++) places.note([1, 2], a);
    assert.equal(places.find([1, 2], replicas), null);
  });

  it('are bounded: what was not asked for longest is forgotten, the end of a prompt before its beginning', () => {
    const places = new PrefixPlaces(6);
    places.note([1, 2, 3], a);
    places.note([4, 5], b);
    places.note([6, 7], b);
    assert.equal(places.size, 6);
    assert.equal(places.find([1, 2, 3], replicas), a);
    places.note([8, 9], b);
    assert.equal(places.size, 6);
    assert.equal(places.find([1, 2, 3], replicas), null);
    assert.equal(places.find([4, 5], replicas), b);
  });
});
