import type { Path } from './faults.ts';
import type { Resolving } from './resolving.ts';

/** RFC 9110 section 5.1. */
const fieldName = /^[!#$%&'*+.^`|~\w-]+$/;

/** RFC 9110 section 5.5: one line of Latin-1. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** They speak of one connection or of the length of one body: a fixed value would break every request. */
const framing = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** One header as the file has it. */
export interface WrittenHeader {
  /** Its key in the file. */
  readonly key: string;
  readonly name: string;
  /** Null where it has been reported already. */
  readonly value: string | null;
}

interface Misfit {
  readonly got: string;
  readonly wanted: string;
}

/** Headers by their names in lower case. Reports names that are none or given twice, and what else a judge finds. */
export function resolveHeaders(
  written: readonly WrittenHeader[],
  path: Path,
  { report }: Resolving,
  judge: (header: WrittenHeader) => Misfit | null = () => null,
): Record<string, string> {
  const headers = new Map<string, string>();
  for (const header of written) {
    const { key, name, value } = header;
    const got = JSON.stringify(key);
    const misfit = !fieldName.test(name)
      ? { got, wanted: 'a header name' }
      : headers.has(name.toLowerCase())
        ? { got, wanted: 'a header that is not given yet' }
        : judge(header);
    if (misfit !== null) report([...path, key], misfit.got, misfit.wanted);
    headers.set(name.toLowerCase(), value ?? '');
  }
  return Object.fromEntries(headers);
}

/** Whether a header can be sent with every request as it is. */
export function judgeSent({ key, name, value }: WrittenHeader): Misfit | null {
  if (framing.has(name.toLowerCase()))
    return { got: JSON.stringify(key), wanted: 'a header that is not of the connection or the length of a body' };
  if (value === null || fieldValue.test(value)) return null;
  const wanted = /[\r\n\0]/.test(value) ? 'a value of one line' : 'a value in Latin-1: HTTP carries no more';
  return { got: 'a secret that does not fit', wanted };
}
