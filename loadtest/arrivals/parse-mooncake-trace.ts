import type { Fail } from './parse-trace.ts';
import { type TraceRow, traceBlockTokens } from './trace.ts';

/** The rows of a Mooncake trace (Qin et al., FAST '25): a JSON object a line, instants in milliseconds. */
export function parseMooncakeTrace(lines: readonly string[], fail: Fail): TraceRow[] {
  let startMs: number | null = null;
  return lines.map((text, at) => {
    const line = at + 1;
    const {
      timestamp,
      input_length: inputTokens,
      output_length: outputTokens,
      hash_ids: ids,
    } = objectOf(text, line, fail);
    const timestampMs = numberOf('timestamp', timestamp, 0, line, fail);
    startMs ??= timestampMs;
    const tokens = numberOf('input_length', inputTokens, 1, line, fail);
    return {
      atMs: timestampMs - startMs,
      inputTokens: tokens,
      outputTokens: numberOf('output_length', outputTokens, 1, line, fail),
      blocks: blocksOf(ids, Math.ceil(tokens / traceBlockTokens), line, fail),
    };
  });
}

type Row = Readonly<Record<string, unknown>>;

function objectOf(text: string, line: number, fail: Fail): Row {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail(line, 'no JSON', 'a JSON object');
  }
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : fail(line, 'no object', 'a JSON object');
}

function numberOf(key: string, value: unknown, least: number, line: number, fail: Fail): number {
  if (Number.isSafeInteger(value) && Number(value) >= least) return Number(value);
  return fail(
    line,
    `${key} ${value === undefined ? 'missing' : JSON.stringify(value)}`,
    `a whole number from ${least}`,
  );
}

function blocksOf(ids: unknown, count: number, line: number, fail: Fail): Uint32Array {
  const isIds = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0 && id < 2 ** 32);
  if (!isIds(ids))
    return fail(line, `hash_ids ${ids === undefined ? 'missing' : 'that are none'}`, 'a list of whole numbers from 0');
  if (ids.length !== count)
    fail(line, `${ids.length} hash_ids`, `${count}: one for each ${traceBlockTokens} tokens of input_length`);
  return Uint32Array.from(ids);
}
