import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Hono } from 'hono';
import pino from 'pino';
import { assembleBackend } from '../assemble-backend.ts';
import { assembleRoutes } from '../assemble-routes.ts';
import { mountEndpoints } from '../http/app.ts';
import type { Connection } from '../http/write-reply.ts';
import { LoadBoard } from '../kernel/load-board.ts';
import { seededRng } from '../kernel/rng.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { TimerWheel } from '../kernel/timer-wheel.ts';
import type { RequestHead } from '../pipeline/exchange.ts';
import type { Protocol } from '../pipeline/protocol.ts';
import { protocols } from '../protocols/registry.ts';
import { type RouteTable, upstreamModelOf } from '../routing/route-table.ts';
import { loadSettings } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { tenantOfHeaders } from '../stages/identify.ts';
import { UndiciTransport } from '../upstream/undici-transport.ts';

interface Options {
  readonly config: string;
  /** `METHOD PATH`. */
  readonly request: string;
  /** `name: value` each. */
  readonly header: readonly string[];
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
  readonly deadlineMs: number | null;
}

/** Tells where a request would go and why. Gives the exit code: 1 when no route takes it. */
export async function explainRoute(options: Options): Promise<number> {
  const settings = loadSettings(options.config);
  const read = await readRequest(options);
  if (read === null) {
    process.stderr.write(`${options.request}: no protocol has such an endpoint\n`);
    return 1;
  }
  const { protocol, head } = read;
  const { model } = protocol.read(head, options.body === null ? new Uint8Array(0) : readFileSync(options.body));
  const tenant = tenantOfHeaders(head.headers);
  const subject = { protocol: protocol.name, model, tenant, path: head.path, headers: head.headers };
  const steps = routesOf(settings).explain(subject);
  const won = steps.find((step) => step.mismatch === null)?.route;
  const total = won?.destinations.reduce((sum, one) => sum + one.weight, 0) ?? 0;
  const explanation: Explanation = {
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
    deadlineMs: won?.deadlineMs ?? null,
  };
  process.stdout.write(`${options.asJson ? JSON.stringify(explanation) : inWords(explanation)}\n`);
  return won === undefined ? 1 : 0;
}

/** Reads the request as the client port would: the same routes find its endpoint. */
async function readRequest({ request, header }: Options): Promise<{ protocol: Protocol; head: RequestHead } | null> {
  const [method = '', target = ''] = request.trim().split(/\s+/);
  const headers = new Headers(
    header.map((one): [string, string] => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1).trim()]),
  );
  let found: { protocol: Protocol; head: RequestHead } | null = null;
  const app = new Hono<{ Bindings: Connection }>();
  mountEndpoints(app, Object.values(protocols), (context, protocol, endpoint) => {
    const { path } = context.req;
    const params = context.req.param();
    found = { protocol, head: { method, path, query: '', params, endpoint, headers: Object.fromEntries(headers) } };
    return context.body(null);
  });
  await app.request(target, { method });
  return found;
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
    runtimeFolder: tmpdir(),
    workerCommand: [process.execPath] as const,
    bundledModels: '',
    secondReleases: { count: 0 },
  };
  const backends = settings.backends.map((one) => assembleBackend(one, parts).backend);
  return assembleRoutes(settings, backends, () => Promise.reject(new Error('a dry run sends nothing')));
}

function inWords({ protocol, operation, model, tenant, rules, backends, deadlineMs }: Explanation): string {
  return [
    `protocol ${protocol}, operation ${operation}, model ${model}, tenant ${tenant}`,
    ...rules.map(
      ({ name, mismatch }) => `${name}: ${mismatch === null ? 'matches' : `passed over, the ${mismatch} does not fit`}`,
    ),
    ...(backends.length === 0 ? ['no route takes it: the client gets 404'] : []),
    ...backends.map(
      ({ name, share, upstreamModel }) => `backend ${name} (${(share * 100).toFixed(1)} %), as model ${upstreamModel}`,
    ),
    ...(deadlineMs === null ? [] : [`deadline ${deadlineMs} ms`]),
  ].join('\n');
}
