import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocols } from '../../gateway/protocols/registry.ts';
import { protocolDefaults } from '../../gateway/settings/protocol-defaults.ts';
import type { BackendSettings } from '../../gateway/settings/settings.ts';
import { protocolFits } from './protocol-fault-rows.ts';
import { faultsOf, least, load } from './yaml.ts';

const never = Number.POSITIVE_INFINITY;

/** A backend of a protocol, with more of its keys, as it is resolved. */
function backendOf(protocol: string, more = '', models = '[m]'): BackendSettings {
  const text = `${least.replace('open-inference', protocol).replace('[m]', models)}${more}`;
  const plain = `${text.replace(/ {4}models:.*\n/, '')}routes: [{ match: { path: /x }, to: [{ backend: a }] }]\n`;
  const [backend] = load(protocol === 'http' ? plain : text).backends;
  return backend ?? assert.fail('no backend');
}

const limits = (backend: BackendSettings): number[] => {
  const { firstByteMs, totalMs, streamTotalMs } = backend.timeouts;
  return [firstByteMs, totalMs, streamTotalMs];
};

test('every protocol that is spoken has its defaults', () => {
  assert.deepEqual(Object.keys(protocolDefaults).toSorted(), Object.keys(protocols).toSorted());
});

test('the limits of a try are those of its protocol', () => {
  assert.deepEqual(limits(backendOf('open-inference')), [30_000, 120_000, never]);
  assert.deepEqual(limits(backendOf('openai')), [600_000, never, never]);
  assert.deepEqual(limits(backendOf('tf-serving')), [30_000, 120_000, never]);
  assert.deepEqual(limits(backendOf('http')), [30_000, 120_000, never]);
});

test('limits that are written hold for every protocol, the total one also for streams', () => {
  for (const protocol of Object.keys(protocols)) {
    const written = backendOf(protocol, '    timeouts: { first_byte: 7s, total: 9s }\n');
    assert.deepEqual(limits(written), [7000, 9000, 9000], protocol);
    assert.deepEqual(limits(backendOf(protocol, '    timeouts: { total: none }\n')).slice(1), [never, never], protocol);
  }
});

test('a replica is asked for its health where its protocol has it, and judged by what is known of it', () => {
  const asked = (protocol: string, models?: string): unknown[] => {
    const { path, unwellFromStatus } = backendOf(protocol, '', models).health;
    return [path, unwellFromStatus];
  };
  assert.deepEqual(asked('open-inference'), ['/v2/health/ready', 300]);
  assert.deepEqual(asked('openai'), ['/v1/models', 300]);
  assert.deepEqual(asked('http'), ['/', 500]);
  assert.deepEqual(asked('tf-serving'), ['/v1/models/m', 300]);
  assert.deepEqual(asked('tf-serving', '[{ name: "a-*", upstream: "n é" }, m]'), ['/v1/models/n%20%C3%A9', 300]);
  assert.deepEqual(asked('tf-serving', '[org/m]'), ['/v1/models/org/m', 300], 'as requests have it in their paths');
});

test('a path that is written is asked instead, and must answer well', () => {
  for (const protocol of Object.keys(protocols)) {
    const { path, unwellFromStatus } = backendOf(protocol, '    health: { path: /up }\n').health;
    assert.deepEqual([path, unwellFromStatus], ['/up', 300], protocol);
  }
});

test('a backend of plain HTTP has no models', () => {
  assert.deepEqual(backendOf('http').models, []);
});

test('what fits its protocol is no fault', () => {
  for (const text of protocolFits) assert.deepEqual(faultsOf(text), [], text);
});
