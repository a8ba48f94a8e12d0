import { type HeaderList, type Headers, headerOf } from '../pipeline/headers.ts';

/** RFC 9110 section 7.6.1: they speak of one connection and are never passed on. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Asks a replica to say of its load in the head of its answer. */
export const reportAsk = ['endpoint-load-metrics-format', 'JSON'] as const;

/** What clients send to the gateway itself: names and lengths that the next hop gets anew, credentials that are not for replicas, claims nobody here vouches for. */
const notForReplicas = new Set([
  ...hopByHop,
  'host',
  'content-length',
  'expect',
  'authorization',
  'x-api-key',
  'x-request-id',
  'x-request-timeout-ms',
  'x-stainless-timeout',
  'x-headgate-class',
  'x-headgate-explain',
  'x-headgate-admin',
  reportAsk[0],
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'http2-settings',
]);

const loadReportHeader = 'endpoint-load-metrics';
/** The same as gRPC has it: base64 without a word in front. */
const binaryReportHeader = 'endpoint-load-metrics-bin';

/** The last are the gateway's own to say. */
const notForClients = new Set([
  ...hopByHop,
  loadReportHeader,
  binaryReportHeader,
  'x-request-id',
  'x-headgate-replica',
  'x-headgate-model',
  'x-headgate-explain',
]);

interface GatewayHeaders {
  readonly requestId: string;
  /** Left until the deadline; null for none. */
  readonly remainingMs: number | null;
  readonly wantsReport: boolean;
  /** Headers of the client that must not go with this request, in lower case. */
  readonly without: readonly string[];
  /** The only ones of the client that may, in lower case; null where all may that are meant for replicas. */
  readonly only: readonly string[] | null;
  /** The replica's own, which win over the client's. */
  readonly own: Readonly<Record<string, string>>;
}

/** The headers a replica gets: the client's that are meant for it, then the gateway's and the replica's own. */
export function requestHeaders(client: Headers, gateway: GatewayHeaders): HeaderList {
  const list: HeaderList = [];
  const named = namedByConnection(client.connection);
  for (const name in client) {
    const value = client[name];
    // A name with an underscore can pass for the one with a dash behind servers that turn both into one variable.
    if (value === undefined || notForReplicas.has(name) || Object.hasOwn(gateway.own, name) || name.includes('_'))
      continue;
    if (named?.has(name) || gateway.without.includes(name)) continue;
    if (gateway.only !== null && !gateway.only.includes(name)) continue;
    if (typeof value === 'string') list.push(name, value);
    else for (const one of value) list.push(name, one);
  }
  list.push('x-request-id', gateway.requestId);
  if (gateway.remainingMs !== null)
    list.push('x-request-timeout-ms', String(Math.max(1, Math.floor(gateway.remainingMs))));
  if (gateway.wantsReport) list.push(...reportAsk);
  for (const name in gateway.own) list.push(name, gateway.own[name] ?? '');
  return list;
}

/** The headers of an answer that clients may see, and the load report among the others. */
export function replyHeaders(upstream: Headers, status = 200): { headers: HeaderList; loadReport: string | null } {
  const headers: HeaderList = [];
  const named = namedByConnection(upstream.connection);
  for (const name in upstream) {
    const value = upstream[name];
    if (value === undefined) continue;
    if (notForClients.has(name) || named?.has(name)) continue;
    // RFC 9110 section 8.6; a client that went by it would take the next answer for the body.
    if (status === 204 && name === 'content-length') continue;
    if (typeof value === 'string') headers.push(name, value);
    else for (const one of value) headers.push(name, one);
  }
  return { headers, loadReport: loadReportOf(upstream) };
}

function loadReportOf(upstream: Headers): string | null {
  const binary = headerOf(upstream, binaryReportHeader);
  return binary === null ? headerOf(upstream, loadReportHeader) : `BIN ${binary}`;
}

/** Headers that `connection` names are of this hop, too. Null in the usual case. */
function namedByConnection(connection: string | readonly string[] | undefined): Set<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null;
  const text = typeof connection === 'string' ? connection : connection.join(',');
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  // What says how to read a body stays with it, whatever a client would have.
  return new Set(names.filter((name) => !name.startsWith('content-')));
}
