import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readPurge } from '../../gateway/http/purge.ts';

it('a purge says which answers it means', () => {
  for (const query of [{ key: 'k' }, { model: 'm' }, { tenant: 't' }, { model: 'm', tenant: 't' }])
    assert.deepEqual(readPurge(query), query);
});

it('a purge of all says so, and nothing else', () => {
  assert.deepEqual(readPurge({ all: 'true' }), {});
});

const faults: readonly [query: Readonly<Record<string, string>>, told: string][] = [
  [{}, 'query: wanted key, model or tenant, or all=true alone'],
  [{ all: 'false' }, 'query: wanted key, model or tenant, or all=true alone'],
  [{ all: '1' }, 'query: wanted key, model or tenant, or all=true alone'],
  [{ all: 'true', model: 'm' }, 'query: wanted key, model or tenant, or all=true alone'],
  [{ modell: 'm' }, 'query: got "modell", wanted key, model, tenant or all=true'],
  [{ model: 'm', teanant: 't' }, 'query: got "teanant", wanted key, model, tenant or all=true'],
  [{ model: '' }, 'query: model is empty'],
  [{ model: 'm', tenant: '' }, 'query: tenant is empty'],
  [{ all: '' }, 'query: all is empty'],
];

for (const [query, told] of faults) {
  it(`a purge of ${JSON.stringify(query)} forgets nothing, and what is wrong is told`, () =>
    assert.equal(readPurge(query), told));
}
