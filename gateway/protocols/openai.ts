import type { GatewayError } from '../kernel/errors.ts';
import { type Ask, lightWork } from '../pipeline/ask.ts';
import type { Exchange, RequestHead } from '../pipeline/exchange.ts';
import { headerInList } from '../pipeline/headers.ts';
import type { Endpoint, Identity, Protocol, UpstreamRequest } from '../pipeline/protocol.ts';
import { jsonReply, type Reply } from '../pipeline/reply.ts';
import { eventOf, isEventStream } from './events.ts';
import { identityOfJson, isSamplingFixed } from './identity.ts';
import { countElements, firstElement } from './json-skim.ts';
import { readNamedModel, withModel } from './named-model.ts';
import { refuseDotSegments } from './raw-path.ts';
import { renameInEvents } from './rename-in-events.ts';
import { renameModel } from './rename-model.ts';
import { renderCompletion } from './render-completion.ts';
import { isRepeatableCompletion } from './repeatable-completion.ts';
import { withUsage } from './usage.ts';

const post = { method: 'POST', hasBody: true } as const;

/** In this order: the last takes whatever the others leave. */
const endpoints: readonly Endpoint[] = [
  { ...post, operation: 'chat', pattern: '/v1/chat/completions' },
  { ...post, operation: 'completion', pattern: '/v1/completions' },
  { ...post, operation: 'embedding', pattern: '/v1/embeddings' },
  { ...post, operation: 'other', pattern: '/v1/*' },
];

/** In completions and their chunks; in the events of /v1/responses. */
const modelMembers = [['model'], ['response', 'model']] as const;

/**
 * The OpenAI API over REST, as vLLM, SGLang, llama.cpp, Ollama and the clouds speak it. A request is relayed as it came, and its answer byte
 * for byte, streamed or not: nothing is parsed but where the model's name must be another, and the usage that answers end with.
 */
export const openai: Protocol = {
  name: 'openai',
  endpoints,
  read(head, content) {
    refuseDotSegments(head.rawPath);
    const named = readNamedModel(head, content);
    const { model, isStreaming, inputTokens, outputTokens: outputTokensExpected } = named;
    const rows = rowsOf(head, content, named.inputAt);
    return { model, isStreaming, work: { ...lightWork, rows, inputTokens, outputTokensExpected } };
  },
  identity,
  isRepeatable: isRepeatableCompletion,
  write: writeRequest,
  translate(reply, exchange, upstreamModel) {
    const counted = withUsage(reply, exchange.journal);
    if (upstreamModel === exchange.ask.model || reply.status >= 300) return counted;
    if (isEventStream(reply)) return renameInEvents(counted, exchange.ask.model, modelMembers);
    if (!isJson(reply)) return counted;
    return renameModel(counted, exchange, { member: 'model', lengthHeaders: ['content-length'] });
  },
  render: renderCompletion,
  refuse: (error) => jsonReply(error.status, errorBody(error), 'refused'),
  breakStream: (error, head) => eventOf(head.path === responsesPath ? responsesError(error) : errorBody(error)),
};

/** Who asks and why, and whether the answer comes in pieces: what it says is the same. */
const notInAnswers = ['user', 'metadata', 'stream'] as const;

/** Of what else the API offers, much is remembered by the server, or made anew for everybody who asks. */
function identity({ endpoint }: RequestHead, content: Uint8Array): Identity | null {
  if (endpoint.operation === 'other') return null;
  const isDeterministic = endpoint.operation === 'embedding' || isSamplingFixed(content, 0);
  return identityOfJson({ json: content, without: notInAnswers, isDeterministic });
}

/** The API's error object, all of its four fields. */
function errorBody({ message, blame, status, field, code }: GatewayError): object {
  const type = status === 429 ? 'rate_limit_error' : blame === 'client' ? 'invalid_request_error' : 'server_error';
  return { error: { message, type, param: field, code } };
}

/** Its streams tell an error as an event of their own type; some clients look for the fields in it, others in its `error`. */
const responsesPath = '/v1/responses';

function responsesError(error: GatewayError): object {
  const { message, field, code } = error;
  return { type: 'error', sequence_number: 0, code, message, param: field, ...errorBody(error) };
}

const nothing: readonly string[] = [];

/** An answer in which a name will be replaced must come as it is; and a body in which one was, goes so. */
const encodings = ['accept-encoding', 'content-encoding'] as const;

function writeRequest({ head, ask }: Exchange, upstreamModel: string): UpstreamRequest {
  const isSame = upstreamModel === ask.model;
  return {
    method: head.method,
    path: head.rawPath + head.query,
    body: isSame ? ask.payload : withModel(head, ask.content, upstreamModel),
    without: isSame ? nothing : encodings,
  };
}

const minus = 0x2d;
const nine = 0x39;

/** One row for each input to embed; a list of numbers is one input in tokens. */
function rowsOf({ endpoint }: RequestHead, content: Uint8Array, inputAt: number): Ask['work']['rows'] {
  if (endpoint.operation !== 'embedding' || inputAt < 0) return 1;
  const elementAt = firstElement(content, inputAt);
  const first = content[elementAt] ?? minus;
  if (elementAt < 0 || (first >= minus && first <= nine)) return 1;
  return countElements(content, inputAt);
}

function isJson({ headers }: Reply): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(headerInList(headers, 'content-type') ?? '');
}
