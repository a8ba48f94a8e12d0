import type { Path } from '../../gateway/settings/faults.ts';
import { readNamedFile } from '../../gateway/settings/named-file.ts';
import type { Resolving } from '../../gateway/settings/resolving.ts';
import { parseTrace, TraceError } from '../arrivals/parse-trace.ts';
import type { Trace } from '../arrivals/trace.ts';

/** The trace in a file that a scenario names, or null with a fault that says which of its lines is wrong. */
export function readTrace(file: string, path: Path, resolving: Resolving): Trace | null {
  const text = readNamedFile(file, path, resolving);
  if (text === null) return null;
  try {
    return parseTrace(text, file);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    resolving.report(path, `${JSON.stringify(file)} with ${error.got} in line ${error.line}`, error.wanted);
    return null;
  }
}
