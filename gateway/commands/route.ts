import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import pino from 'pino';
import { buildGeneration } from '../assemble-generation.ts';
import { unwatched } from '../balance/decision.ts';
import { alone } from '../balance/replica.ts';
import type { Connection } from '../http/connection.ts';
import { mountReadings } from '../http/readings.ts';
import { GatewayError } from '../kernel/errors.ts';
import { LoadBoard } from '../kernel/load-board.ts';
import { seededRng } from '../kernel/rng.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { TimerWheel } from '../kernel/timer-wheel.ts';
import type { RequestHead } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import type { Protocol } from '../pipeline/protocol.ts';
import { decodeContent } from '../protocols/content-encoding.ts';
import { rawPathOf } from '../protocols/raw-path.ts';
import { protocols } from '../protocols/registry.ts';
import { type RouteTable, upstreamModelOf } from '../routing/route-table.ts';
import { loadSettings } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { tenantOfHeaders } from '../stages/identify.ts';
import { EventLog } from '../telemetry/event-log.ts';
import { UndiciTransport } from '../upstream/undici-transport.ts';
import { version } from '../version.ts';
import { type CacheExplanation, cacheInWords, explainCache } from './explain-cache.ts';

interface Options {
  readonly config: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  /** A file, or null for an empty body. */
  readonly body: string | null;
  readonly asJson: boolean;
}

interface Explanation {
  readonly protocol: string;
  readonly operation: string;
  readonly model: string;
  readonly tenant: string;
  /** Rules in the order they were tried; the last one won if its mismatch is null. */
  readonly rules: readonly { readonly name: string; readonly mismatch: string | null }[];
  readonly backends: readonly { readonly name: string; readonly share: number; readonly upstreamModel: string }[];
  /** Tried in this order when none of the backends can serve it. */
  readonly fallbacks: readonly { readonly name: string; readonly upstreamModel: string }[];
  /** Who gets copies, and of what share of such requests; null for nobody. */
  readonly mirror: { readonly name: string; readonly share: number } | null;
  readonly deadlineMs: number | null;
  /** How answers are kept and shared; null for not at all. */
  readonly cache: CacheExplanation | null;
}

/** Tells where a request would go and why. Gives the exit code: 1 when the client would be refused. */
export async function explainRoute(options: Options): Promise<number> {
  const settings = loadSettings(options.config);
  const routes = routesOf(settings);
  const body = options.body === null ? new Uint8Array(0) : readFileSync(options.body);
  const { method, target, asJson } = options;
  try {
    const found = await findEndpoint(options, routes);
    if (found === null) throw await noSuchEndpoint(options, routes);
    if (found === 'own') {
      process.stdout.write(
        `${asJson ? JSON.stringify({ answeredBy: 'gateway' }) : 'the gateway answers this itself'}\n`,
      );
      return 0;
    }
    const explanation = explain(found, await contentOf(body, found.head, settings), routes);
    process.stdout.write(`${asJson ? JSON.stringify(explanation) : inWords(explanation)}\n`);
    return explanation.backends.length === 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, status, message } = error;
    if (asJson) process.stdout.write(`${JSON.stringify({ error: { code, status, message } })}\n`);
    process.stderr.write(`${method} ${target}: ${message}: the client gets ${status}\n`);
    return 1;
  }
}

interface Found {
  readonly protocol: Protocol;
  readonly head: RequestHead;
}

/** Finds out who reads a request as the client port would, by the same routes. `own` for what the gateway answers without any replica, null for none. */
function findEndpoint({ method, target, headers }: Options, routes: RouteTable): Promise<Found | 'own' | null> {
  return new Promise((resolve, reject) => {
    const app = new Hono<{ Bindings: Connection }>();
    const nothing = new Response(null);
    const directory = { routes: () => routes, isReady: () => false, version, startedAtSeconds: 0 };
    mountReadings(
      app,
      { protocols: Object.values(protocols), directory },
      {
        read({ req: { path, url } }, { protocol, endpoint, params }) {
          const query = target.slice(target.includes('?') ? target.indexOf('?') : target.length);
          const rawPath = rawPathOf(url);
          resolve({
            protocol,
            head: { method, path, rawPath, query, params, endpoint, headers: Object.fromEntries(headers) },
          });
          return nothing;
        },
        own() {
          resolve('own');
          return nothing;
        },
        unknown(_context, refusal) {
          reject(refusal);
          return nothing;
        },
        none() {
          resolve(null);
          return nothing;
        },
      },
    );
    Promise.resolve(app.request(target, { method, headers })).catch(reject);
  });
}

/** Why nothing answers a request: its path, or its method alone. */
async function noSuchEndpoint(options: Options, routes: RouteTable): Promise<GatewayError> {
  for (const method of ['GET', 'POST']) {
    if ((await findEndpoint({ ...options, method }, routes)) !== null)
      return new GatewayError('method_not_allowed', `got ${options.method}, wanted ${method}`);
  }
  return new GatewayError('not_found', 'there is nothing at this path');
}

/** The body as the protocol reads it, within the bounds that the gateway keeps. */
async function contentOf(
  body: Uint8Array,
  { endpoint, headers }: RequestHead,
  { listen: { maxBodyBytes } }: Settings,
): Promise<Uint8Array> {
  if (!endpoint.hasBody) return new Uint8Array(0);
  if (body.length > maxBodyBytes)
    throw new GatewayError('body_too_large', `the body is over ${maxBodyBytes} bytes (listen.max_body)`);
  const encoding = headerOf(headers, 'content-encoding');
  return encoding === null ? body : decodeContent(body, encoding, maxBodyBytes);
}

function explain({ protocol, head }: Found, content: Uint8Array, routes: RouteTable): Explanation {
  const ask = { ...protocol.read(head, content), payload: content, content };
  const { model } = ask;
  const tenant = tenantOfHeaders(head.headers);
  const steps = routes.explain({ protocol: protocol.name, model, tenant, path: head.path, headers: head.headers });
  const won = steps.find((step) => step.mismatch === null)?.route;
  const total = won?.destinations.reduce((sum, one) => sum + one.weight, 0) ?? 0;
  return {
    protocol: protocol.name,
    operation: head.endpoint.operation,
    model,
    tenant,
    rules: steps.map(({ route, mismatch }) => ({ name: route.name, mismatch })),
    backends: (won?.destinations ?? []).map(({ backend, weight }) => ({
      name: backend.name,
      share: weight / total,
      upstreamModel: upstreamModelOf(backend, model),
    })),
    fallbacks: (won?.fallbacks ?? []).map((backend) => ({
      name: backend.name,
      upstreamModel: upstreamModelOf(backend, model),
    })),
    mirror: won?.mirror ? { name: won.mirror.backend.name, share: won.mirror.share } : null,
    deadlineMs: won?.deadlineMs ?? null,
    cache: won === undefined ? null : explainCache({ protocol, head, ask, tenant }, won),
  };
}

/** The route table as the gateway would build it; nothing is started. */
function routesOf(settings: Settings): RouteTable {
  const clock = systemClock;
  const wheel = new TimerWheel(clock);
  const parts = {
    clock,
    wheel,
    rng: seededRng(1),
    board: new LoadBoard(),
    transport: new UndiciTransport({ clock, wheel }),
    log: pino({ level: 'silent' }),
    newSocketPath: () => 'none',
    workerCommand: [process.execPath] as const,
    bundledModels: '',
    living: new Set<never>(),
    secondReleases: { count: 0 },
    events: new EventLog(clock),
    decisions: unwatched,
    peers: alone,
    serveFor: () => () => Promise.reject(new Error('a dry run sends nothing')),
  };
  return buildGeneration(settings, null, parts).routes;
}

function inWords(explanation: Explanation): string {
  const { protocol, operation, model, tenant, rules, backends, fallbacks, mirror, deadlineMs, cache } = explanation;
  // Plain HTTP names no model.
  const ofModel = model === '' ? '' : `, model ${model}`;
  const asModel = (name: string): string => (name === '' ? '' : `, as model ${name}`);
  return [
    `protocol ${protocol}, operation ${operation}${ofModel}, tenant ${tenant}`,
    ...rules.map(
      ({ name, mismatch }) => `${name}: ${mismatch === null ? 'matches' : `passed over, the ${mismatch} does not fit`}`,
    ),
    ...(backends.length === 0 ? ['no route takes it: the client gets 404'] : []),
    ...backends.map(
      ({ name, share, upstreamModel }) => `backend ${name} (${(share * 100).toFixed(1)} %)${asModel(upstreamModel)}`,
    ),
    ...fallbacks.map(({ name, upstreamModel }) => `failing that backend ${name}${asModel(upstreamModel)}`),
    ...(mirror === null ? [] : [`copies of ${(mirror.share * 100).toFixed(1)} % to backend ${mirror.name}`]),
    ...(deadlineMs === null ? [] : [`deadline ${deadlineMs} ms`]),
    ...(cache === null ? [] : cacheInWords(cache)),
  ].join('\n');
}
