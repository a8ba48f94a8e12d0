import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { hasToken, refuseChange } from './admin-guard.ts';
import type { Connection } from './connection.ts';
import { refuseForeignHost } from './host-check.ts';
import type { NodeContext } from './open-exchange.ts';
import { type Purge, readPurge } from './purge.ts';

/** What the operators' port shows; each part is filled in by whoever knows it. */
export interface AdminView {
  /** Null when the gateway can take traffic, else why not. */
  notReadyBecause(): string | null;
  metrics(): Promise<{ contentType: string; text: string }>;
  backends(): object;
  /** `backend/id` of every replica. */
  replicaNames(): readonly string[];
  config(): object;
}

/** How a reload ended: `faults` are each `file:line:column: path: got X, wanted Y`, `needsRestart` keys such as `listen.port`. */
export type ReloadResult =
  | { readonly kind: 'reloaded'; readonly needsRestart: readonly string[] }
  | { readonly kind: 'refused'; readonly faults: readonly string[] };

/** `drain` and `undrain` are about how a replica stands, `eject` and `readmit` about what its traffic is held to say of it. */
export const replicaChanges = ['drain', 'undrain', 'eject', 'readmit'] as const;

/** What operators can do with a replica. */
export type ReplicaChange = (typeof replicaChanges)[number];

/** What operators can change. */
export interface AdminActions {
  /** Reads the configuration again. */
  reload(): Promise<ReloadResult>;
  /** Takes a replica out, or puts it back. Gives it as `AdminView.backends` shows it; null when there is none. */
  change(change: ReplicaChange, backend: string, id: string): object | null;
  /** Forgets answers that are kept. Gives how many, or null where some may be left. */
  purge(keys: Purge): Promise<number | null>;
}

interface Options {
  readonly view: AdminView;
  readonly actions: AdminActions;
  /** Answers with a stream of what happens. */
  streamEvents(connection: Connection): void;
  /** Asked for by everything under /api; null for none. */
  readonly token: string | null;
  readonly isLoopback: boolean;
  /** Told what was changed, and from which address. */
  onChange(facts: Readonly<Record<string, string>>): void;
  /** Something could not be answered, through a fault of the gateway's own. */
  onFault(error: unknown): void;
}

/** What an answer of the gateway's own carries: it holds for a moment, and is nothing but what it says it is. */
export const ownHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** The operators' port. It answers no other origin (there is no CORS) and on loopback only loopback hosts, so that no web page can read it or change anything. */
export function adminApp(options: Options): Hono<{ Bindings: Connection }> {
  const { token, isLoopback, onFault } = options;
  const app = new Hono<{ Bindings: Connection }>();
  app.use('*', async (context, next) => {
    for (const [name, value] of Object.entries(ownHeaders)) context.header(name, value);
    const refusal = isLoopback ? refuseForeignHost(context.env.incoming) : null;
    if (refusal !== null) return context.json({ error: refusal.message }, 421);
    return next();
  });
  app.use('/api/*', async (context, next) => {
    if (token === null || hasToken(context.env.incoming, token)) return next();
    context.header('www-authenticate', 'Bearer');
    return context.json({ error: 'authorization: wanted Bearer with the token of admin.token' }, 401);
  });
  mountView(app, options);
  mountActions(app, options);
  app.notFound((context) =>
    context.json({ error: `there is nothing at ${context.req.method} ${context.req.path}` }, 404),
  );
  app.onError((error, context) => {
    onFault(error);
    return context.json({ error: 'the gateway failed to answer this' }, 500);
  });
  return app;
}

function mountView(app: Hono<{ Bindings: Connection }>, { view, streamEvents }: Options): void {
  app.get('/healthz', (context) => context.json({ live: true }));
  app.get('/readyz', (context) => {
    const reason = view.notReadyBecause();
    return reason === null ? context.json({ ready: true }) : context.json({ ready: false, reason }, 503);
  });
  app.get('/metrics', async (context) => {
    const { contentType, text } = await view.metrics();
    return context.body(text, 200, { 'content-type': contentType });
  });
  app.get('/api/backends', (context) => context.json(view.backends()));
  app.get('/api/config', (context) => context.json(view.config()));
  app.get('/api/events', (context) => {
    streamEvents(context.env);
    return RESPONSE_ALREADY_SENT;
  });
}

function mountActions(app: Hono<{ Bindings: Connection }>, { view, actions, token, onChange }: Options): void {
  const mount = (path: string, act: (context: NodeContext, by: string) => Response | Promise<Response>): void => {
    app.all(path, (context) => {
      const { method, path: asked } = context.req;
      if (method !== 'POST') return context.json({ error: `${asked}: wanted POST` }, 405, { allow: 'POST' });
      const { incoming } = context.env;
      const refusal = refuseChange(incoming, token !== null);
      if (refusal !== null) return context.json({ error: refusal }, 403);
      return act(context, incoming.socket.remoteAddress ?? 'a connection that has gone');
    });
  };
  for (const change of replicaChanges) {
    mount(`/api/replicas/:backend/:id/${change}`, (context, by) => {
      const { backend = '', id = '' } = context.req.param();
      const replica = actions.change(change, backend, id);
      const name = `${backend}/${id}`;
      if (replica === null) {
        const known = view.replicaNames().join(', ');
        return context.json({ error: `there is no replica ${name}; there are: ${known}` }, 404);
      }
      onChange({ by, change, replica: name });
      return context.json(replica);
    });
  }
  mount('/api/config/reload', async (context, by) => {
    const result = await actions.reload();
    onChange({ by, change: 'reload', result: result.kind });
    if (result.kind === 'reloaded') return context.json({ reloaded: true, needs_restart: result.needsRestart });
    return context.json({ error: 'the configuration was not taken over', faults: result.faults }, 422);
  });
  mount('/api/cache/purge', async (context, by) => {
    const keys = readPurge(context.req.query());
    if (typeof keys === 'string') return context.json({ error: keys }, 400);
    const purged = await actions.purge(keys);
    onChange({ by, change: 'purge', ...keys });
    if (purged !== null) return context.json({ purged });
    return context.json({ error: 'Redis could not be asked: what it holds is still there', ...keys }, 503);
  });
}
