import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutRestart } from '../../gateway/settings/boot-keys.ts';
import type { Settings } from '../../gateway/settings/settings.ts';
import { schemaKeys } from '../conventions/config-keys.ts';
import { least, load, withTop } from './yaml.ts';

test('what both ports are and where answers are kept stays as at the start, and is named where the file says otherwise', () => {
  const inForce = load(least);
  const wanted = load(
    `${withTop('listen: { port: 1, max_body: 1KiB, drain: 30s }')}admin: { token: t }\ncache: { memory: 2MiB, wait: 50ms }\ntelemetry: { log: warn }\n`,
  );
  const { settings, needsRestart } = withoutRestart(wanted, inForce);
  assert.deepEqual(needsRestart, ['listen.port', 'listen.max_body', 'admin.token', 'cache.memory']);
  assert.deepEqual(settings, { ...wanted, listen: inForce.listen, admin: inForce.admin, cache: inForce.cache });
  assert.equal(settings.telemetry.logLevel, 'warn');
});

test('nothing needs a restart where these are as they were, also where a route keeps answers otherwise', () => {
  assert.deepEqual(withoutRestart(load(withTop('routes: []')), load(least)).needsRestart, []);
  const keeping = load(withTop('routes: [{ to: [{ backend: a }], cache: { fresh: 1m }, coalesce: true }]'));
  const { settings, needsRestart } = withoutRestart(keeping, load(least));
  assert.deepEqual(needsRestart, []);
  assert.equal(settings.routes[0]?.cache?.freshMs, 60_000);
});

test('another Redis needs a restart, and so does to take it for a cluster', () => {
  const withRedis = (keys: string): Settings => load(withTop(`cache: { redis: "redis://h:1"${keys} }`));
  const changed = (wanted: Settings, inForce: Settings) => withoutRestart(wanted, inForce).needsRestart;
  assert.deepEqual(changed(withRedis(''), withRedis('')), []);
  assert.deepEqual(changed(withRedis(''), load(least)), ['cache.redis']);
  assert.deepEqual(changed(withRedis(', cluster: true'), withRedis('')), ['cache.redis']);
});

test('every key that needs a restart is called as the file calls it', () => {
  const wanted = load(
    withTop(
      'listen: { host: "::1", port: 1, max_body: 1KiB, max_buffered: 1GiB, drain: 0s, zone: edge }\nadmin: { host: localhost, port: 2, token: t }\ncache: { memory: 2MiB, max_entry: 1KiB, redis: "redis://h", wait: 1s, prefix: p }',
    ),
  );
  const known = new Set(schemaKeys().map(({ path }) => path));
  const { needsRestart } = withoutRestart(wanted, load(least));
  assert.deepEqual(
    needsRestart.filter((key) => !known.has(key)),
    [],
  );
  assert.equal(needsRestart.length, 14);
});
