import { GatewayError } from '../kernel/errors.ts';
import { eventOf } from './events.ts';
import type { CompletionKind } from './folded-completion.ts';
import type { FreshId } from './fresh-id.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { isMembers, type Members } from './join-pieces.ts';
import type { Recast } from './recast.ts';

const done = Buffer.from('data: [DONE]\n\n');

/** A completion that came whole, as the stream it would have been: with usage where that was asked for. */
export class UnfoldedCompletion implements Recast {
  readonly contentType = 'text/event-stream; charset=utf-8';
  readonly #kind: CompletionKind;
  readonly #id: FreshId;
  readonly #tellsUsage: boolean;
  readonly #json = new GatheredBytes();

  constructor(kind: CompletionKind, id: FreshId, tellsUsage: boolean) {
    this.#kind = kind;
    this.#id = id;
    this.#tellsUsage = tellsUsage;
  }

  take(piece: Uint8Array): void {
    this.#json.add(piece);
  }

  finish(): Uint8Array {
    const { choices, usage, ...rest } = completionOf(this.#json.bytes.toString());
    const object = this.#kind === 'chat' ? 'chat.completion.chunk' : 'text_completion';
    const head: Members = { ...rest, object };
    if (typeof rest.id === 'string') head.id = this.#id.inPlaceOf(rest.id);
    const partsOf = this.#kind === 'chat' ? chatParts : textParts;
    const parts = choices.flatMap((choice, at) => [...partsOf({ index: at, ...choice })]);
    const events = parts.map((part) => eventOf({ ...head, choices: [part] }));
    if (this.#tellsUsage && isMembers(usage)) events.push(eventOf({ ...head, choices: [], usage }));
    return Buffer.concat([...events, done]);
  }
}

function completionOf(text: string): Members & { readonly choices: readonly Members[] } {
  let answer: unknown = null;
  try {
    answer = JSON.parse(text);
  } catch {}
  const choices = isMembers(answer) && Array.isArray(answer.choices) ? answer.choices : [null];
  if (!isMembers(answer) || !choices.every(isMembers))
    throw new GatewayError('upstream_broken', 'the answer that a stream was to be made of is no completion');
  return { ...answer, choices };
}

/** The role, what is said, the calls of tools, and the end: in this order, as clients know it. */
function* chatParts({ message, finish_reason = null, logprobs, ...others }: Members): Generator<Members> {
  const { role = 'assistant', content = null, tool_calls: calls, ...said } = isMembers(message) ? message : {};
  const { index } = others;
  yield { index, delta: { role, content: typeof content === 'string' ? '' : null }, finish_reason: null };
  if (content !== null) said.content = content;
  const hasCalls = Array.isArray(calls) && calls.length > 0;
  if (!hasCalls && calls !== undefined) said.tool_calls = calls;
  if (logprobs !== undefined || Object.keys(said).length > 0)
    yield { index, delta: said, logprobs, finish_reason: null };
  if (hasCalls) {
    const numbered = calls.map((call: unknown, at) => (isMembers(call) ? { index: at, ...call } : call));
    yield { index, delta: { tool_calls: numbered }, finish_reason: null };
  }
  yield { index, delta: {}, finish_reason, ...others };
}

function* textParts({ text, finish_reason = null, logprobs, ...others }: Members): Generator<Members> {
  const { index } = others;
  yield { index, text, logprobs, finish_reason: null };
  yield { index, text: '', finish_reason, ...others };
}
