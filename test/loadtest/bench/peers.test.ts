import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { bareRelay, headgate } from '../../../loadtest/bench/headgate-peer.ts';
import { kinds } from '../../../loadtest/bench/kinds.ts';
import { measureCost } from '../../../loadtest/bench/measure-cost.ts';
import { measureLatency } from '../../../loadtest/bench/measure-latency.ts';
import { freePort, type Peer, type PeerKind, startScript } from '../../../loadtest/bench/peer.ts';
import { digitOf, digits, streamOf } from '../../../loadtest/bench/workloads.ts';
import { repetitions } from '../../support/counts.ts';

const backendPort = await freePort();
const backend = await startScript('stub-backend.ts', backendPort);
after(() => void backend.kill());

const ofAll = new Set(repetitions({ quick: 0, full: 1 }) === 1 ? kinds : [bareRelay, headgate]);

/** How long some requests, or the first tokens of some streams, took. */
function asked(peer: Peer, isStreaming: boolean): Promise<number[]> {
  const request = isStreaming ? streamOf(peer, 'fast') : digitOf(peer);
  const { name, port } = peer;
  return measureLatency({ name, port, request, isStreaming, ratePerSecond: 50, forMs: 200, rng: seededRng(1) });
}

/** Known not to relay streams on Node. */
const withoutStreams: readonly string[] = ['Portkey'];

async function check({ name, start }: PeerKind): Promise<void> {
  const peer = await start(backendPort);
  try {
    assert.ok((await asked(peer, false)).every((durationMs) => durationMs > 0));
    const streams = asked(peer, true);
    if (withoutStreams.includes(name)) await assert.rejects(streams, /status 500/);
    else assert.ok((await streams).every((durationMs) => durationMs > 0));
    const { pid } = peer;
    assert.ok(pid !== null);
    const { microseconds, unitsPerSecond } = await measureCost(digits, { ...peer, pid }, 300);
    assert.ok(microseconds > 0 && unitsPerSecond > 0);
  } finally {
    peer.stop();
  }
}

for (const kind of ofAll) {
  test(`${kind.name} is started, relays a request and a stream, and is measured`, () => check(kind));
}

test('what does not answer fails, and is no figure', async () => {
  const nobody: Peer = { name: 'nobody', port: await freePort(), pid: null, headers: [], isChatOnly: false, stop() {} };
  await assert.rejects(asked(nobody, false), /nobody: unreachable/);
});
