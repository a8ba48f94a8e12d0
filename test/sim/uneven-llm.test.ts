import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseTrace } from '../../loadtest/arrivals/parse-trace.ts';
import { azureLike } from '../loadtest/synthetic-trace.ts';
import { repetitions } from '../support/counts.ts';
import { replay, type ServerKind } from '../support/prompt-replay.ts';

/** Azure's conversations where the environment names them, or some with their statistics. */
const file = process.env.AZURE_TRACE;
const count = repetitions({ quick: 1_500, full: 12_000 });
const trace = parseTrace(file === undefined ? azureLike(count) : readFileSync(file, 'utf8'), 'trace.csv');
const rows = Array.from({ length: Math.min(count, trace.size) }, (_, at) => trace.row(at));

const seed = 1;
const sequences = 16;
const speeds = [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25];
const load = 0.8;

/** What a server computes for a request that has its batch to itself, and twice that in a full batch, as the simulated server has it. */
const aloneMs =
  rows.reduce((sum, one) => sum + 30 + 0.25 * one.inputTokens + 12 * (one.outputTokens - 1), 0) / rows.length;
const ratePerSecond = (load * 1_000 * sequences * speeds.reduce((sum, one) => sum + one, 0)) / (2 * aloneMs);

function serversOf(keys: string): ServerKind[] {
  return speeds.map((speed) => ({ speed, kvTokens: 427_246, keys }));
}

test('on servers of speeds 4:2:1 at 80 % the first tokens of conversations come earlier than by least outstanding: p99 at most 0.8 times', async (t) => {
  // No prompt has anything in common with another.
  const promptings = rows.map(({ inputTokens, outputTokens }, key) => {
    return { prompt: [{ seed: 1, key, tokens: inputTokens }], outputTokens };
  });
  const free = await replay({
    promptings,
    ratePerSecond,
    seed,
    backend: 'policy: least-outstanding',
    servers: serversOf(''),
  });
  const told = await replay({
    promptings,
    ratePerSecond,
    seed,
    backend: 'policy: adaptive',
    servers: serversOf(`, slots: ${sequences}`),
  });
  const ratio = told.firstByteP99Ms / free.firstByteP99Ms;
  t.diagnostic(
    `p99 ${free.firstByteP99Ms.toFixed(0)} and ${told.firstByteP99Ms.toFixed(0)} ms, ${ratio.toFixed(2)} times`,
  );
  t.diagnostic(
    `mean ${free.firstByteMs.toFixed(0)} and ${told.firstByteMs.toFixed(0)} ms, at ${ratePerSecond.toFixed(1)} requests/s`,
  );
  assert.ok(ratio <= 0.8, `${ratio}`);
});
