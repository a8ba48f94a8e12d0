import { GatewayError } from '../kernel/errors.ts';
import { EventReader } from './event-reader.ts';
import { dataOf, isErrorEvent, linesOf } from './events.ts';
import type { FreshId } from './fresh-id.ts';
import { isMembers, joinPieces, type Members } from './join-pieces.ts';
import type { Recast } from './recast.ts';

/** What an answer is asked of: it differs in what its choices hold. */
export type CompletionKind = 'chat' | 'completion';

/** Said anew or again, never continued. */
const saidWhole = new Set(['role', 'id', 'type', 'name']);

/** A completion that came as a stream, as the one object it would have been. */
export class FoldedCompletion implements Recast {
  readonly contentType = 'application/json';
  readonly #kind: CompletionKind;
  readonly #id: FreshId;
  readonly #events = new EventReader();
  readonly #whole: Members = {};
  readonly #choices = new Map<number, Members>();
  #isDone = false;

  constructor(kind: CompletionKind, id: FreshId) {
    this.#kind = kind;
    this.#id = id;
  }

  take(piece: Uint8Array): void {
    for (const event of this.#events.take(piece)) this.#takeEvent(event);
  }

  finish(): Uint8Array {
    this.#takeEvent(this.#events.rest());
    const choices = [...this.#choices].toSorted(([a], [b]) => a - b).map(([, choice]) => choice);
    if (choices.length === 0 || !choices.every(isFinished)) throw broken('ended before its end');
    if (this.#kind === 'chat') for (const choice of choices) choice.message = messageOf(choice.message);
    const object = this.#kind === 'chat' ? 'chat.completion' : 'text_completion';
    return Buffer.from(JSON.stringify({ ...this.#whole, object, choices }));
  }

  #takeEvent(event: string): void {
    const data = dataOf(linesOf(event)).trim();
    if (this.#isDone || (data === '' && !event.includes('error'))) return;
    this.#isDone = data === '[DONE]';
    if (this.#isDone) return;
    if (event.includes('error') && isErrorEvent(event)) throw broken('told of an error in the middle');
    if (data === '') return;
    const { choices, ...rest } = chunkOf(data);
    // Some servers send chunks beside the answer, in which all of this is empty.
    for (const [name, value] of Object.entries(rest))
      if (name !== '__proto__' && name !== 'obfuscation') this.#whole[name] = value || (this.#whole[name] ?? value);
    if (typeof this.#whole.id === 'string') this.#whole.id = this.#id.inPlaceOf(this.#whole.id);
    if (!Array.isArray(choices)) return;
    this.#whole.choices = null;
    for (const choice of choices) if (isMembers(choice)) this.#takeChoice(choice);
  }

  #takeChoice({ delta, ...piece }: Members): void {
    const index = typeof piece.index === 'number' ? piece.index : 0;
    const choice = this.#choices.get(index) ?? (this.#kind === 'chat' ? { index, message: {} } : { index, text: '' });
    this.#choices.set(index, choice);
    if (isMembers(delta) && isMembers(choice.message))
      joinPieces(choice.message, delta, (name) => !saidWhole.has(name));
    joinPieces(choice, piece, (name) => name === 'text');
  }
}

function chunkOf(data: string): Members {
  let chunk: unknown = null;
  try {
    chunk = JSON.parse(data);
  } catch {}
  if (!isMembers(chunk)) throw broken('has an event that cannot be read');
  return chunk;
}

/** Some servers give an empty reason until there is one. */
function isFinished({ finish_reason: reason }: Members): boolean {
  return typeof reason === 'string' && reason !== '';
}

/** The indices of its calls are only there to put their pieces together. */
function messageOf(said: unknown): Members {
  const message = { role: 'assistant', content: null, ...(isMembers(said) ? said : {}) };
  if (!('tool_calls' in message) || !Array.isArray(message.tool_calls)) return message;
  return { ...message, tool_calls: message.tool_calls.map(withoutIndex) };
}

function withoutIndex(call: unknown): unknown {
  if (!isMembers(call)) return call;
  const { index: _, ...rest } = call;
  return rest;
}

function broken(how: string): GatewayError {
  return new GatewayError('upstream_broken', `the stream that this answer was made of ${how}`);
}
