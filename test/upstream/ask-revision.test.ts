import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { askRevision } from '../../gateway/upstream/ask-revision.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { newReplica } from '../support/replicas.ts';
import { type Script, SimulatedReplica } from '../support/simulated-replica.ts';

/** Asks a replica that answers by a script; it has half a second. */
async function ask(script: Script) {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const simulated = new SimulatedReplica(clock, () => script);
  const transport = new UndiciTransport({ clock, wheel, connect: () => simulated });
  const replica = newReplica({ address: { basePath: '/prefix', headers: { 'x-key': 'k' } } });
  transport.hold(replica, 3000);
  const asked = askRevision(replica, transport, { path: '/v2/models/m', timeoutMs: 500, clock });
  await clock.runUntil(1000);
  return { revision: await asked, seen: simulated.seen, armed: wheel.armedCount };
}

const saying = (...texts: readonly string[]): Script => ({
  pieces: texts.map((text) => ({ afterMs: 10, bytes: Buffer.from(text) })),
});

test('a revision is the digest of all that a replica tells of a model', async () => {
  const { revision, seen, armed } = await ask(saying('{"name":"m",', '"versions":["1"]}'));
  assert.equal(revision, createHash('sha256').update('{"name":"m","versions":["1"]}').digest('base64url'));
  assert.deepEqual([seen[0]?.path, seen[0]?.headers], ['/prefix/v2/models/m', ['x-key', 'k']]);
  assert.equal(seen.length, 1);
  assert.equal(armed, 0);
});

test('who tells no such thing has told that', async () => {
  for (const status of [404, 405, 501]) assert.equal((await ask({ ...saying('{}'), status })).revision, '');
});

const failures: Readonly<Record<string, Script>> = {
  'cannot be reached': { refusesAfterMs: 10 },
  'does not answer in time': { headAfterMs: 10_000 },
  'breaks off': { ...saying('{'), ends: 'broken' },
  'does not come to its end': { ...saying('{'), ends: 'hangs' },
  ...Object.fromEntries(
    [204, 206, 302, 400, 401, 429, 500, 503].map((status) => [`answers ${status}`, { ...saying('{}'), status }]),
  ),
};

for (const [claim, script] of Object.entries(failures)) {
  test(`of a replica that ${claim} nothing is known`, async () => {
    const { revision, armed } = await ask(script);
    assert.equal(revision, null);
    assert.equal(armed, 0);
  });
}
