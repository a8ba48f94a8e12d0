import { type HeaderList, headerInList } from '../pipeline/headers.ts';
import { dataOf, hasErrorEvent, isEventStream, latin1, linesOf } from './events.ts';
import { findMember, parseValue } from './json-skim.ts';

/** How an answer ends that is whole. What calls a tool has an id that its client will answer under; whatever else a server calls its ends is no good end. */
const goodEnds: readonly string[] = ['stop', 'length', 'content_filter'];

const finish = /"finish_reason"\s*:\s*"([^"]*)"/g;

/**
 * Whether a whole answer of the OpenAI API may be given again: nothing in it tells of an error, and every choice has come to a good end. Inside a text the quotes would be escaped.
 */
export function isRepeatableCompletion(headers: HeaderList, body: Uint8Array): boolean {
  if (headerInList(headers, 'content-encoding') !== null) return false;
  const text = latin1(body);
  if ([...text.matchAll(finish)].some(([, reason = '']) => !goodEnds.includes(reason))) return false;
  if (isEventStream({ headers })) return !hasErrorEvent(text) && isWholeStream(text);
  const errorAt = findMember(body, 0, 'error');
  return errorAt < 0 || parseValue(body, errorAt) === null;
}

/** Every choice that has begun has ended. Some servers send no `[DONE]`. */
function isWholeStream(text: string): boolean {
  const begun = new Set<unknown>();
  const ended = new Set<unknown>();
  for (const event of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = dataOf(linesOf(event)).trim();
    for (const { index, finish_reason: reason } of choicesOf(data)) {
      begun.add(index);
      if (typeof reason === 'string') ended.add(index);
    }
  }
  return begun.size > 0 && begun.size === ended.size;
}

interface Choice {
  readonly index?: unknown;
  readonly finish_reason?: unknown;
}

function choicesOf(data: string): readonly Choice[] {
  if (!data.startsWith('{')) return [];
  try {
    const { choices }: { readonly choices?: unknown } = JSON.parse(data);
    return Array.isArray(choices) ? choices.filter((one) => typeof one === 'object' && one !== null) : [];
  } catch {
    return [];
  }
}
