import { parseAzureTrace } from './parse-azure-trace.ts';
import { parseMooncakeTrace } from './parse-mooncake-trace.ts';
import { Trace, type TraceRow } from './trace.ts';

/** A trace that is not what its format says, and the line from which on. */
export class TraceError extends Error {
  readonly line: number;
  readonly got: string;
  readonly wanted: string;

  /** The line counts from 1. */
  constructor(line: number, got: string, wanted: string) {
    super(`line ${line}: got ${got}, wanted ${wanted}`);
    this.name = 'TraceError';
    this.line = line;
    this.got = got;
    this.wanted = wanted;
  }
}

/** How the rows of a format are read. Throws a misfit, made with `fail`. */
export type TraceParser = (lines: readonly string[], fail: Fail) => TraceRow[];

/** Ends the reading of a trace at a line, counted from 1. */
export type Fail = (line: number, got: string, wanted: string) => never;

const parsers: Readonly<Record<string, TraceParser>> = { csv: parseAzureTrace, jsonl: parseMooncakeTrace };

/** Endings of the files that traces are in, by which their formats are known. */
export const traceEndings: readonly string[] = Object.keys(parsers).map((ending) => `.${ending}`);

/** The trace in a text. Throws a `TraceError` for anything that it is not. */
export function parseTrace(text: string, file: string): Trace {
  const parse = parsers[file.slice(file.lastIndexOf('.') + 1)];
  if (parse === undefined) fail(1, `a file called ${file}`, `one that ends in ${traceEndings.join(' or ')}`);
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  const rows = parse(lines, fail);
  const late = rows.findIndex(({ atMs }, at) => atMs < (rows[at - 1]?.atMs ?? 0));
  if (late >= 0)
    fail(
      lines.length - rows.length + late + 1,
      'an instant before that of the line above',
      'rows in the order of their instants',
    );
  if (rows.length === 0) fail(lines.length + 1, 'no request', 'at least one');
  return new Trace(file, rows);
}

function fail(line: number, got: string, wanted: string): never {
  throw new TraceError(line, got, wanted);
}
