import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { latencyProfiles } from '../../../loadtest/model-server/latency-profiles.ts';
import { LlmEngine, type LlmJob } from '../../../loadtest/model-server/llm-engine.ts';
import { Pace } from '../../../loadtest/model-server/pace.ts';
import { type Prompt, promptOfText } from '../../../loadtest/model-server/tokens.ts';
import { repetitions } from '../../support/counts.ts';
import { type Block, NaivePool } from './naive-pool.ts';

type Parts = ConstructorParameters<typeof LlmEngine>[0];

/** Nothing is drawn, so that times can be told beforehand. */
const even: Parts = {
  prefill: { baseMs: 30, perTokenMs: 0.25, spreadMs: 0 },
  interToken: { meanMs: 12, spreadMs: 0 },
  fullBatchFactor: 2,
  maxSequences: 16,
  kvTokens: 4096,
  blockTokens: 16,
  isCachingPrefixes: true,
  maxQueue: Number.POSITIVE_INFINITY,
  pace: new Pace([]),
  seed: 1,
};

const text = (tokens: number, letter = 'a'): Prompt => promptOfText(letter.repeat(4 * tokens), 16);

/** Sends a prompt and keeps the instants of its tokens. */
function send(
  engine: LlmEngine,
  nowMs: number,
  prompt: Prompt,
  outputTokens: number,
): { job: LlmJob; tokensAtMs: number[] } {
  const tokensAtMs: number[] = [];
  const job = engine.submit(nowMs, { prompt, outputTokens, onToken: ({ dueAtMs }) => void tokensAtMs.push(dueAtMs) });
  assert.ok(typeof job === 'object', String(job));
  return { job, tokensAtMs };
}

test('a sequence alone has its first token after 30 ms and 0.25 ms a token of its prompt, and the next ones 12 ms apart', () => {
  const engine = new LlmEngine(even);
  const { tokensAtMs } = send(engine, 5, text(256), 4);
  engine.advance(1000);
  assert.deepEqual(tokensAtMs, [5 + 94, 5 + 106, 5 + 118, 5 + 130]);
});

test('in a full batch everything takes twice as long, half way from one sequence to all of them half of that more', () => {
  const gapWith = (sequences: number): number => {
    const engine = new LlmEngine({ ...even, maxSequences: 9 });
    const sent = Array.from({ length: sequences }, () => send(engine, 0, text(16), 10));
    engine.advance(250);
    const [first] = sent;
    return (first?.tokensAtMs[3] ?? 0) - (first?.tokensAtMs[2] ?? 0);
  };
  assert.deepEqual([1, 5, 9].map(gapWith), [12, 18, 24]);
});

test('a sequence beyond the batch waits until one ends, and starts at that very moment', () => {
  const engine = new LlmEngine({ ...even, maxSequences: 2 });
  const [first, , third] = [0, 1, 2].map((nowMs) => send(engine, nowMs, text(16, String(nowMs)), 3));
  assert.equal(engine.load().waiting, 1);
  engine.advance(10_000);
  assert.equal(third?.job.startedAtMs, first?.tokensAtMs[2]);
});

test('a sequence whose keys and values find no room waits, and so do all behind it', () => {
  const engine = new LlmEngine({ ...even, kvTokens: 320 });
  const long = send(engine, 0, text(200, 'a'), 10);
  const longer = send(engine, 1, text(150, 'b'), 10);
  const short = send(engine, 2, text(16, 'c'), 10);
  const { running, waiting, kv } = engine.load();
  assert.deepEqual({ running, waiting, held: kv.heldTokens }, { running: 1, waiting: 2, held: 224 });
  engine.advance(10_000);
  const endedAtMs = long.tokensAtMs[9];
  assert.deepEqual([longer.job.startedAtMs, short.job.startedAtMs], [endedAtMs, endedAtMs]);
  assert.equal(engine.load().kv.heldTokens, 0);
});

test('a sequence that would never find room is refused at once', () => {
  const engine = new LlmEngine({ ...even, kvTokens: 320 });
  const ask = { prompt: text(300), outputTokens: 21, onToken: () => {} };
  assert.equal(engine.submit(0, ask), 'too_long');
  assert.equal(typeof engine.submit(0, { ...ask, outputTokens: 20 }), 'object');
});

test('a full line refuses', () => {
  const engine = new LlmEngine({ ...even, maxSequences: 1, maxQueue: 1 });
  const ask = { prompt: text(16), outputTokens: 1, onToken: () => {} };
  const taken = [0, 0, 0].map((nowMs) => typeof engine.submit(nowMs, ask));
  assert.deepEqual(taken, ['object', 'object', 'string']);
  assert.equal(engine.load().done.refused, 1);
});

test('a prompt that begins like one before pays only for the rest; without the prefix cache for all of it', () => {
  const secondAfterMs = (isCachingPrefixes: boolean): number => {
    const engine = new LlmEngine({ ...even, isCachingPrefixes });
    send(engine, 0, text(256), 1);
    const { job, tokensAtMs } = send(engine, 1000, promptOfText('a'.repeat(4 * 240) + 'b'.repeat(4 * 16), 16), 1);
    engine.advance(2000);
    assert.equal(job.cachedTokens, isCachingPrefixes ? 240 : 0);
    return (tokensAtMs[0] ?? 0) - 1000;
  };
  assert.deepEqual([secondAfterMs(true), secondAfterMs(false)], [34, 94]);
});

test('a prompt cannot be found before it has been computed', () => {
  const engine = new LlmEngine(even);
  send(engine, 0, text(256), 5);
  const { job } = send(engine, 1, text(256), 5);
  engine.advance(10_000);
  assert.equal(job.cachedTokens, 0);
});

test('a client that leaves gives its room and its place to others at once', () => {
  const engine = new LlmEngine({ ...even, maxSequences: 1 });
  const first = send(engine, 0, text(256, 'a'), 100);
  const second = send(engine, 0, text(16, 'b'), 2);
  const third = send(engine, 0, text(16, 'c'), 2);
  engine.leave(second.job, 20);
  engine.leave(first.job, 40);
  assert.equal(third.job.startedAtMs, 40);
  engine.advance(10_000);
  assert.deepEqual([first.tokensAtMs, second.tokensAtMs], [[], []]);
  const { succeeded, abandoned } = engine.load().done;
  assert.deepEqual(
    { succeeded, abandoned, held: engine.load().kv.heldTokens },
    { succeeded: 1, abandoned: 2, held: 0 },
  );
});

test('the default constants give what their source names for a prompt of 256 tokens', () => {
  const firstTokens = (name: keyof typeof latencyProfiles): number[] => {
    const engine = new LlmEngine({ ...even, ...latencyProfiles[name] });
    return Array.from({ length: 90 }, (_, at) => {
      const { job } = send(engine, 10_000 * at, text(256, String.fromCharCode(33 + at)), 1);
      engine.advance(10_000 * at + 9_000);
      return job.firstTokenAtMs - job.startedAtMs;
    });
  };
  const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
  // The table "time-to-first-token (256-token prompt, batch size 1)".
  const small = mean(firstTokens('8b-h100'));
  assert.ok(small > 60 && small < 120, String(small));
  const large = mean(firstTokens('70b-8xh100'));
  assert.ok(large > 150 && large < 250, String(large));
});

test('what a sequence takes depends on the seed and on its place among the arrivals, not on when others come', () => {
  const gapsOf = (seed: number, gapMs: number): number[] => {
    const engine = new LlmEngine({ ...even, interToken: { meanMs: 12, spreadMs: 2 }, fullBatchFactor: 1, seed });
    const sent = [0, 1, 2].map((at) => send(engine, gapMs * at, text(16), 4));
    engine.advance(100_000);
    const { tokensAtMs } = sent[2] ?? { tokensAtMs: [] };
    return tokensAtMs.slice(1).map((atMs, at) => Math.round(1e6 * (atMs - (tokensAtMs[at] ?? 0))));
  };
  assert.deepEqual(gapsOf(7, 1), gapsOf(7, 500));
  assert.notDeepEqual(gapsOf(7, 1), gapsOf(8, 1));
});

interface Sent {
  readonly gap: number;
  readonly walk: readonly number[];
  readonly tail: number;
  readonly output: number;
}

const most = { sequences: 3, blocks: 8, blockTokens: 4 };

/** A prompt of whole blocks named by a walk down a tree, and some tokens behind them. */
function walked({ walk, tail }: Sent): Prompt {
  let key = 1;
  const blocks = walk.map((step) => {
    key = key * 4 + step;
    return key;
  });
  return { tokens: Math.max(1, most.blockTokens * walk.length + tail), blocks, key };
}

test('starts, first tokens, ends and hits are those of a model without cleverness, in every history', () => {
  const sent = fc.record({
    gap: fc.integer({ min: 0, max: 60 }),
    walk: fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 4 }),
    tail: fc.integer({ min: 0, max: 3 }),
    output: fc.integer({ min: 1, max: 8 }),
  });
  const property = fc.property(fc.array(sent, { maxLength: 25 }), (history) => {
    assert.deepEqual(inEngine(history), inModel(history));
  });
  fc.assert(property, { numRuns: repetitions({ quick: 500, full: 20_000 }) });
});

type Told = readonly [startedAtMs: number, firstAtMs: number, endedAtMs: number, cachedTokens: number];

const small: Parts = {
  ...even,
  maxSequences: most.sequences,
  blockTokens: most.blockTokens,
  kvTokens: most.blocks * most.blockTokens,
};

function inEngine(history: readonly Sent[]): Told[] {
  const engine = new LlmEngine(small);
  let nowMs = 0;
  const all = history.map((one) => {
    nowMs += one.gap;
    return send(engine, nowMs, walked(one), one.output).job;
  });
  engine.advance(1_000_000);
  return all.map((job) => [job.startedAtMs, job.firstTokenAtMs, job.dueAtMs, job.cachedTokens]);
}

/** The next thing that happens is looked for among all, again and again. */
function inModel(history: readonly Sent[]): Told[] {
  interface Sequence {
    readonly at: number;
    readonly prompt: Prompt;
    held: Block[];
    tokens: number;
    dueAtMs: number;
    told: [number, number, number, number];
  }
  const pool = new NaivePool(most.blocks);
  const waiting: number[] = [];
  const running: Sequence[] = [];
  const told: Told[] = [];
  const factor = (): number => 1 + (running.length - 1) / (most.sequences - 1);
  const startAll = (nowMs: number): void => {
    for (let at = waiting[0]; at !== undefined && running.length < most.sequences; at = waiting[0]) {
      const one = history[at] as Sent;
      const prompt = walked(one);
      const hits = pool.hits(prompt.blocks, prompt.blocks.length * most.blockTokens === prompt.tokens);
      const held = pool.hold(prompt.blocks, hits, Math.ceil((prompt.tokens + one.output) / most.blockTokens));
      if (held === null) return;
      waiting.shift();
      const cached = hits * most.blockTokens;
      const sequence: Sequence = { at, prompt, held, tokens: 0, dueAtMs: 0, told: [nowMs, 0, 0, cached] };
      running.push(sequence);
      sequence.dueAtMs = nowMs + (30 + 0.25 * (prompt.tokens - cached)) * factor();
    }
  };
  let nextAt = 0;
  let nextMs = history[0]?.gap ?? Number.POSITIVE_INFINITY;
  while (nextAt < history.length || running.length > 0) {
    const [due] = running.toSorted((a, b) => a.dueAtMs - b.dueAtMs || a.at - b.at);
    if (due === undefined || nextMs < due.dueAtMs) {
      waiting.push(nextAt++);
      startAll(nextMs);
      nextMs += history[nextAt]?.gap ?? Number.POSITIVE_INFINITY;
      continue;
    }
    const nowMs = due.dueAtMs;
    due.tokens += 1;
    if (due.tokens === 1) {
      due.told[1] = nowMs;
      pool.publish(due.held, due.prompt.blocks);
    }
    if (due.tokens === history[due.at]?.output) {
      due.told[2] = nowMs;
      told[due.at] = due.told;
      running.splice(running.indexOf(due), 1);
      pool.release(due.held, due.prompt.blocks);
    }
    startAll(nowMs);
    if (told[due.at] === undefined) due.dueAtMs = nowMs + 12 * factor();
  }
  return told;
}
