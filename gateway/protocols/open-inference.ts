import { GatewayError } from '../kernel/errors.ts';
import { type Ask, lightWork } from '../pipeline/ask.ts';
import type { Exchange, RequestHead } from '../pipeline/exchange.ts';
import { headerInList, headerOf } from '../pipeline/headers.ts';
import type { Endpoint, Identity, Protocol, UpstreamRequest } from '../pipeline/protocol.ts';
import type { Reply } from '../pipeline/reply.ts';
import { bareError } from './bare-error.ts';
import { EchoedId } from './echoed-id.ts';
import { eventOf, hasErrorEvent, isEventStream, latin1 } from './events.ts';
import { identityOfJson, isSamplingFixed } from './identity.ts';
import { findMember, firstElement, wholeNumberAt } from './json-skim.ts';
import { renameInEvents } from './rename-in-events.ts';
import { renameModel } from './rename-model.ts';
import { rewriteData } from './rewrite-data.ts';
import { withId } from './with-id.ts';

/** The bytes of JSON in front of binary tensors (the binary tensor data extension). */
export const headerLengthHeader = 'inference-header-content-length';

const modelOperations = [
  { operation: 'metadata', method: 'GET', suffix: '', hasBody: false, isAboutModel: true },
  { operation: 'ready', method: 'GET', suffix: '/ready', hasBody: false, isAboutModel: true },
  { operation: 'config', method: 'GET', suffix: '/config', hasBody: false, isAboutModel: true },
  { operation: 'stats', method: 'GET', suffix: '/stats', hasBody: false, isAboutModel: true },
  { operation: 'infer', method: 'POST', suffix: '/infer', hasBody: true },
  { operation: 'generate', method: 'POST', suffix: '/generate', hasBody: true },
  { operation: 'generate_stream', method: 'POST', suffix: '/generate_stream', hasBody: true },
] as const;

const nothing: readonly string[] = [];
const encodings = ['accept-encoding'] as const;

const suffixes: Readonly<Record<string, string>> = Object.fromEntries(
  modelOperations.map(({ operation, suffix }) => [operation, suffix]),
);

/** Where a model's endpoints lie; gateway and worker take their patterns from here. */
export const modelEndpoints: readonly Endpoint[] = modelOperations.flatMap(({ suffix, ...endpoint }) =>
  ['/v2/models/:model', '/v2/models/:model/versions/:version'].map((path) => ({ ...endpoint, pattern: path + suffix })),
);

/** The Open Inference Protocol over REST, also known as KServe V2: Triton, KServe, MLServer and the bundled workers speak it. */
export const openInference: Protocol = {
  name: 'open-inference',
  endpoints: modelEndpoints,
  read(head, content) {
    const { model = '', version = '' } = head.params;
    refusePath('model', model);
    refusePath('version', version);
    const { operation, hasBody } = head.endpoint;
    const isStreaming = operation === 'generate_stream';
    return { model, isStreaming, work: hasBody ? { ...lightWork, rows: rowsOf(head, content) } : lightWork };
  },
  identity,
  // Encoded, it could not be given another id.
  isRepeatable: (headers, body) =>
    headerInList(headers, 'content-encoding') === null && (!isEventStream({ headers }) || !hasErrorEvent(latin1(body))),
  write: (exchange, upstreamModel) => writeRequest(exchange, upstreamModel),
  translate(reply, exchange, upstreamModel) {
    if (upstreamModel === exchange.ask.model || reply.status >= 300) return reply;
    const member = exchange.head.endpoint.hasBody ? 'model_name' : 'name';
    if (isEventStream(reply)) return renameInEvents(reply, exchange.ask.model, [[member]]);
    return renameModel(reply, exchange, { member, lengthHeaders: ['content-length', headerLengthHeader] });
  },
  render,
  refuse: bareError,
  // As Triton tells an error when its stream has begun.
  breakStream: ({ message }) => eventOf({ error: message }),
};

const withoutId = ['id'] as const;
const framing = [headerLengthHeader] as const;

/** Binary tensors are compared byte for byte, and their names, shapes and types as the JSON in front of them says. */
function identity({ endpoint, headers }: RequestHead, content: Uint8Array): Identity | null {
  if (!endpoint.hasBody) return null;
  const headerLength = headerOf(headers, headerLengthHeader);
  if (headerLength !== null && !/^\d{1,15}$/.test(headerLength)) return null;
  const jsonBytes = headerLength === null ? content.length : Number(headerLength);
  if (jsonBytes > content.length) return null;
  const json = content.subarray(0, jsonBytes);
  if (dependsOnMore(json)) return null;
  const isDeterministic = endpoint.operation === 'infer' || isGenerationFixed(json);
  return identityOfJson({ json, raw: content.subarray(jsonBytes), without: withoutId, framing, isDeterministic });
}

/** Tensors that lie in memory shared with the replica, or its memory of a sequence. No writer of JSON has a need to escape letters: who does may hide one of these. */
const signsOfMore = ['shared_memory_region', 'sequence_id', '\\u004', '\\u005', '\\u006', '\\u007'].map((sign) =>
  Buffer.from(sign),
);

function dependsOnMore({ buffer, byteOffset, length }: Uint8Array): boolean {
  const json = Buffer.from(buffer, byteOffset, length);
  return signsOfMore.some((sign) => json.includes(sign));
}

/** Some servers take the sampling parameters beside the text, others among the parameters. */
function isGenerationFixed(json: Uint8Array): boolean {
  if (isSamplingFixed(json, 0)) return true;
  const parametersAt = findMember(json, 0, 'parameters');
  return parametersAt >= 0 && isSamplingFixed(json, parametersAt);
}

/** Tensors are relayed as they came, not encoded again; the model's name stands in the path alone. */
function writeRequest(exchange: Exchange, upstreamModel: string): UpstreamRequest {
  const { endpoint, params, query, method } = exchange.head;
  const suffix = suffixes[endpoint.operation] ?? '';
  const version = params.version === undefined ? '' : `/versions/${segment(params.version)}`;
  const path = `/v2/models/${segment(upstreamModel)}${version}${suffix}${query}`;
  return {
    method,
    path,
    body: endpoint.hasBody ? exchange.ask.payload : null,
    without: upstreamModel === exchange.ask.model ? nothing : encodings,
  };
}

const ownSegments = new Set(['.', '..', 'versions', ...Object.values(suffixes).map((suffix) => suffix.slice(1))]);

/** Servers resolve `.` and `..` in a path, and some take an encoded slash for one: such a name would lead to another of their endpoints. */
function refusePath(field: string, name: string): void {
  if (name === '.' || name === '..')
    throw new GatewayError('invalid_request', `${field}: got ${JSON.stringify(name)}, wanted a name`, { field });
  const [first = '', ...others] = name.split(/[/\\]/);
  if (first === '.' || first === '..' || others.some((segment) => ownSegments.has(segment)))
    throw new GatewayError('model_not_found', `${field} ${JSON.stringify(name)} is not known here`, { field });
}

const needsNoEncoding = /^[\w.~-]*$/;

function segment(name: string): string {
  return needsNoEncoding.test(name) ? name : encodeURIComponent(name);
}

/** The id of a request stands in its JSON, and is said again in the answer's, or in every event of it. */
function render(reply: Reply, { head, ask }: Exchange): Reply {
  if (!head.endpoint.hasBody || headerInList(reply.headers, 'content-encoding') !== null) return reply;
  const id = new EchoedId(jsonPart(head, ask.content));
  if (isEventStream(reply)) return rewriteData(reply, (data) => id.find(data, true));
  return withId(reply, id, { lengthHeader: headerLengthHeader, mostGrownBytes: id.mostGrownBytes });
}

/** What stands in front of binary tensors, or all. */
function jsonPart({ headers }: RequestHead, content: Uint8Array): Uint8Array {
  const headerLength = headerOf(headers, headerLengthHeader);
  return headerLength === null ? content : content.subarray(0, Number(headerLength) || 0);
}

/** The first dimension of the first input. What cannot be read counts as one row: the replica will say what is wrong with it. */
function rowsOf(head: RequestHead, content: Uint8Array): Ask['work']['rows'] {
  const json = jsonPart(head, content);
  const inputsAt = findMember(json, 0, 'inputs');
  const inputAt = inputsAt < 0 ? -1 : firstElement(json, inputsAt);
  const shapeAt = inputAt < 0 ? -1 : findMember(json, inputAt, 'shape');
  const rowsAt = shapeAt < 0 ? -1 : firstElement(json, shapeAt);
  return rowsAt < 0 ? 1 : wholeNumberAt(json, rowsAt) || 1;
}
