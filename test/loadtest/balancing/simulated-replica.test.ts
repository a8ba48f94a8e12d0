import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../../gateway/settings/load.ts';
import { usualRules } from '../../../loadtest/balancing/simulated-replica.ts';

test('simulated replicas have the gates that a configuration gives which says nothing of them', () => {
  const yaml = 'backends: [{ name: b, protocol: openai, models: [m], replicas: [{ url: "http://127.0.0.1:1" }] }]';
  const [backend] = parseSettings(yaml, 'gateway.yaml', {}).backends;
  const { slowStartMs, ...rules } = backend?.breaker ?? assert.fail('no backend');
  assert.deepEqual(rules, usualRules);
  assert.ok(slowStartMs > 0);
});
