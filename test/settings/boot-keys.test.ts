import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutRestart } from '../../gateway/settings/boot-keys.ts';
import { schemaKeys } from '../conventions/config-keys.ts';
import { least, load, withTop } from './yaml.ts';

test('what both ports are is kept from the start, and named where the file says otherwise', () => {
  const inForce = load(least);
  const wanted = load(
    `${withTop('listen: { port: 1, max_body: 1KiB, drain: 30s }')}admin: { token: t }\ntelemetry: { log: warn }\n`,
  );
  const { settings, needsRestart } = withoutRestart(wanted, inForce);
  assert.deepEqual(needsRestart, ['listen.port', 'listen.max_body', 'admin.token']);
  assert.deepEqual(settings, { ...wanted, listen: inForce.listen, admin: inForce.admin });
  assert.equal(settings.telemetry.logLevel, 'warn');
});

test('nothing needs a restart where both ports are as they were', () => {
  assert.deepEqual(withoutRestart(load(withTop('routes: []')), load(least)).needsRestart, []);
});

test('every key that needs a restart is called as the file calls it', () => {
  const wanted = load(
    withTop(
      'listen: { host: "::1", port: 1, max_body: 1KiB, max_buffered: 1GiB, drain: 0s, zone: edge }\nadmin: { host: localhost, port: 2, token: t }',
    ),
  );
  const known = new Set(schemaKeys().map(({ path }) => path));
  const { needsRestart } = withoutRestart(wanted, load(least));
  assert.deepEqual(
    needsRestart.filter((key) => !known.has(key)),
    [],
  );
  assert.equal(needsRestart.length, 9);
});
