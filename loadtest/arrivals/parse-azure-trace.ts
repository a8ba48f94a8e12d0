import type { Fail } from './parse-trace.ts';
import type { TraceRow } from './trace.ts';

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';

/** `2023-11-16 18:15:46.6805900`; the traces of 2024 have a time zone, which is always that of UTC. */
const timestamp = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,9})?(?:\+00:00)?$/;

/** The rows of an Azure LLM inference trace (Microsoft, 2023 and 2024). */
export function parseAzureTrace([first = '', ...lines]: readonly string[], fail: Fail): TraceRow[] {
  if (first !== header) fail(1, quote(first), `the header ${header}`);
  let start: Instant | null = null;
  return lines.map((text, at) => {
    const line = at + 2;
    const [when = '', input = '', output = '', ...more] = text.split(',');
    const instant = instantOf(when);
    if (instant === null || more.length > 0)
      return fail(line, quote(text), 'a row such as 2023-11-16 18:15:46.6805900,374,44');
    start ??= instant;
    return {
      atMs: instant.secondMs - start.secondMs + (instant.fractionMs - start.fractionMs),
      inputTokens: countOf('ContextTokens', input, line, fail),
      outputTokens: countOf('GeneratedTokens', output, line, fail),
      blocks: null,
    };
  });
}

/** The whole seconds of an instant apart from their fraction: a double has no room for both. */
interface Instant {
  readonly secondMs: number;
  readonly fractionMs: number;
}

function instantOf(text: string): Instant | null {
  const [, date, time, fraction = '.0'] = timestamp.exec(text) ?? [];
  const secondMs = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(secondMs) ? null : { secondMs, fractionMs: Number(fraction) * 1000 };
}

function countOf(column: string, text: string, line: number, fail: Fail): number {
  const count = Number(text);
  return /^\d{1,9}$/.test(text) && count >= 1 ? count : fail(line, `${column} ${quote(text)}`, 'a whole number from 1');
}

function quote(text: string): string {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 57)}...`);
}
