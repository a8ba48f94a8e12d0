import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseTrace } from '../../loadtest/arrivals/parse-trace.ts';
import { mooncakeLike } from '../loadtest/synthetic-trace.ts';
import { isFull, repetitions } from '../support/counts.ts';
import { type Prompting, pooledHitShare, promptingsOf, type Replayed, replay } from '../support/prompt-replay.ts';

/** Mooncake's conversations where the environment names them, or some with their statistics that go on while a cache can still know them. */
const file = process.env.MOONCAKE_TRACE;
const count = repetitions({ quick: 2_000, full: 12_031 });
const text = file === undefined ? mooncakeLike(count, { recent: 500 }) : readFileSync(file, 'utf8');
const trace = parseTrace(text, 'trace.jsonl');
const rows = Array.from({ length: Math.min(count, trace.size) }, (_, at) => trace.row(at));

/** Slightly more than the servers can bear where requests go to whoever has fewest: made up ones have more in common at a short distance. */
const ratePerSecond = file === undefined ? 10.5 : 9;
const seed = 1;

// Nobody tells how many sequences a server runs at once: no credit binds.
const leastOutstanding = 'policy: least-outstanding';
const withAffinity = 'affinity: { by: prefix }';

const told = (name: string, { hitShare, firstByteMs, mostRequests, mostTime }: Replayed): string =>
  `${name}: ${(100 * hitShare).toFixed(1)} % of blocks found, first byte after ${firstByteMs.toFixed(0)} ms, most requests ${mostRequests.toFixed(2)} and time ${mostTime.toFixed(2)} times the mean`;

async function replayed(promptings: readonly Prompting[], backend: string): Promise<Replayed> {
  return replay({ promptings, ratePerSecond, backend, seed });
}

const kinds = [
  ['conversations behind three system prompts', [700, 1_100, 1_500], 1.1],
  ['conversations', [], 1],
] as const;

for (const [what, systemPromptTokens, slack] of isFull ? kinds : kinds.slice(0, 1))
  test(`${what} are found again where they were computed, at even load, and their answers begin earlier`, async (t) => {
    const promptings = promptingsOf(rows, systemPromptTokens);
    const pooled = pooledHitShare(promptings);
    const free = await replayed(promptings, leastOutstanding);
    const kept = await replayed(promptings, withAffinity);
    t.diagnostic(`seed ${seed}; one cache: ${(100 * pooled).toFixed(1)} % of blocks found`);
    t.diagnostic(told('least-outstanding', free));
    t.diagnostic(told('with affinity', kept));
    assert.ok(kept.hitShare >= (0.85 * pooled) / slack, `${kept.hitShare}, in one cache ${pooled}`);
    assert.ok(kept.mostRequests <= 1.25 * slack && kept.mostTime <= 1.25 * slack, told('', kept));
    assert.ok(kept.firstByteMs <= 0.7 * slack * free.firstByteMs, `${kept.firstByteMs} of ${free.firstByteMs} ms`);
  });
