import { GatewayError } from '../kernel/errors.ts';
import type { RequestHead } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import { boundaryOf, findFields, type Span } from './form-data.ts';
import { findMembers, type Members, parseValue, skipValue, wholeNumberAt } from './json-skim.ts';

/** What a request that names its model in its body asks for. */
export interface NamedModel {
  readonly model: string;
  readonly isStreaming: boolean;
  /** Where the list of inputs begins in a JSON body; -1 where there is none. */
  readonly inputAt: number;
  /** Of the prompt in a JSON body, estimated; null where there is none. */
  readonly inputTokens: number | null;
  /** As many as may be generated; null where no limit is set. */
  readonly outputTokens: number | null;
}

/** Reads the model, and whether the answer shall come as a stream, from a body of JSON or a form. */
export function readNamedModel(head: RequestHead, content: Uint8Array): NamedModel {
  const form = formOf(head, content);
  if (form === null) return readJson(content);
  const model = textOf(form.body, onlyField(form, 'model'));
  if (model === '') throw badModel('something else');
  refuseLongName(model);
  const [stream] = findFields(form.body, form.boundary, 'stream');
  const isStreaming = stream !== undefined && textOf(form.body, stream) === 'true';
  return { model, isStreaming, inputAt: -1, inputTokens: null, outputTokens: null };
}

/** The body with another name of the model, every other byte as it was. */
export function withModel(head: RequestHead, content: Uint8Array, model: string): Uint8Array {
  const form = formOf(head, content);
  if (form !== null) return replaced(content, onlyField(form, 'model'), model);
  const start = membersOf(content).at.model;
  return replaced(content, { start, end: skipValue(content, start) }, JSON.stringify(model));
}

function readJson(content: Uint8Array): NamedModel {
  const { at, end } = membersOf(content);
  const model = at.model < 0 ? undefined : parseValue(content, at.model);
  if (typeof model !== 'string' || model === '') throw badModel(at.model < 0 ? 'nothing' : 'something else');
  refuseLongName(model);
  const isStreaming = at.stream >= 0 && parseValue(content, at.stream) === true;
  const prompt = promptNames.find((name) => at[name] >= 0);
  const limit = limitNames.find((name) => at[name] >= 0);
  return {
    model,
    isStreaming,
    inputAt: at.input,
    inputTokens: prompt === undefined ? null : Math.ceil((end[prompt] - at[prompt]) / bytesPerToken),
    outputTokens: limit === undefined ? null : wholeNumberAt(content, at[limit]),
  };
}

/** What tokenizers of today's models make of English text. */
const bytesPerToken = 4;

/** Under which of these names the prompt stands: that of chats, of completions, and of embeddings and responses. */
export const promptNames = ['messages', 'prompt', 'input'] as const;

/** The newer name first. */
const limitNames = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'] as const;

const names = ['model', 'stream', ...promptNames, ...limitNames] as const;

/** Servers differ in which of two models they would take: another than the one that was routed must not be reached so. */
function membersOf(content: Uint8Array): Members<(typeof names)[number]> {
  const members = findMembers(content, 0, names);
  if (members.twice !== null) throw badModel(`${members.twice} more than once`);
  if (!members.isWhole) throw brokenJson();
  return members;
}

/** It goes into error messages, logs and paths. */
const longestName = 1024;

function refuseLongName(model: string): void {
  if (model.length > longestName) throw badModel(`a name of ${model.length} characters`);
}

interface Form {
  readonly body: Buffer;
  readonly boundary: string;
}

function formOf({ headers }: RequestHead, { buffer, byteOffset, byteLength }: Uint8Array): Form | null {
  const type = headerOf(headers, 'content-type');
  if (type !== null && urlEncoded.test(type)) throw unreadableType(type);
  const boundary = boundaryOf(type);
  return boundary === null ? null : { body: Buffer.from(buffer, byteOffset, byteLength), boundary };
}

function onlyField({ body, boundary }: Form, name: string): Span {
  const [only, another] = findFields(body, boundary, name);
  if (only === undefined) throw badModel('nothing');
  if (another !== undefined) throw badModel(`${name} more than once`);
  return only;
}

function textOf(body: Buffer, { start, end }: Span): string {
  return body.toString('utf8', start, end);
}

function replaced(content: Uint8Array, { start, end }: Span, by: string): Uint8Array {
  return Buffer.concat([content.subarray(0, start), Buffer.from(by), content.subarray(end)]);
}

/** Some servers would read a form in what this gateway read as JSON. */
const urlEncoded = /^\s*application\/x-www-form-urlencoded/i;

function unreadableType(type: string): GatewayError {
  const message = `content-type: got ${type}, wanted application/json or multipart/form-data`;
  return new GatewayError('encoding_unsupported', message, { field: 'content-type' });
}

function brokenJson(): GatewayError {
  const message = 'body: got JSON that is malformed or cut off, or none, wanted one JSON object or a form';
  return new GatewayError('invalid_request', message, { field: 'body' });
}

function badModel(got: string): GatewayError {
  const message = `model: got ${got}, wanted a body of JSON, or a form, that names one model as text`;
  return new GatewayError('invalid_request', message, { field: 'model' });
}
