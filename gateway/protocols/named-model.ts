import { GatewayError } from '../kernel/errors.ts';
import type { RequestHead } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import { boundaryOf, findFields, type Span } from './form-data.ts';
import { findMembers, type Members, parseValue, skipValue } from './json-skim.ts';

/** What a request that names its model in its body asks for. */
export interface NamedModel {
  readonly model: string;
  readonly isStreaming: boolean;
  /** Where the list of inputs begins in a JSON body; -1 where there is none. */
  readonly inputAt: number;
}

/** Reads the model, and whether the answer shall come as a stream, from a body of JSON or a form. */
export function readNamedModel(head: RequestHead, content: Uint8Array): NamedModel {
  const form = formOf(head, content);
  if (form === null) return readJson(content);
  const model = textOf(form.body, onlyField(form, 'model'));
  if (model === '') throw badModel('something else');
  const [stream] = findFields(form.body, form.boundary, 'stream');
  return { model, isStreaming: stream !== undefined && textOf(form.body, stream) === 'true', inputAt: -1 };
}

/** The body with another name of the model, every other byte as it was. */
export function withModel(head: RequestHead, content: Uint8Array, model: string): Uint8Array {
  const form = formOf(head, content);
  if (form !== null) return replaced(content, onlyField(form, 'model'), model);
  const start = membersOf(content).at.model;
  return replaced(content, { start, end: skipValue(content, start) }, JSON.stringify(model));
}

function readJson(content: Uint8Array): NamedModel {
  const { at } = membersOf(content);
  const model = at.model < 0 ? undefined : parseValue(content, at.model);
  if (typeof model !== 'string' || model === '') throw badModel(at.model < 0 ? 'nothing' : 'something else');
  const isStreaming = at.stream >= 0 && parseValue(content, at.stream) === true;
  return { model, isStreaming, inputAt: at.input };
}

const names = ['model', 'stream', 'input'] as const;

/** Servers differ in which of two models they would take: another than the one that was routed must not be reached so. */
function membersOf(content: Uint8Array): Members<(typeof names)[number]> {
  const members = findMembers(content, 0, names);
  if (members.twice !== null) throw badModel(`${members.twice} more than once`);
  return members;
}

interface Form {
  readonly body: Buffer;
  readonly boundary: string;
}

function formOf({ headers }: RequestHead, { buffer, byteOffset, byteLength }: Uint8Array): Form | null {
  const boundary = boundaryOf(headerOf(headers, 'content-type'));
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

function badModel(got: string): GatewayError {
  const message = `model: got ${got}, wanted a body of JSON, or a form, that names one model as text`;
  return new GatewayError('invalid_request', message, { field: 'model' });
}
