import { createHash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { Connection } from './connection.ts';
import { refuseForeignHost } from './host-check.ts';

/** What the operators' port shows; each part is filled in by whoever knows it. */
export interface AdminView {
  /** Null when the gateway can take traffic, else why not. */
  notReadyBecause(): string | null;
  metrics(): Promise<{ contentType: string; text: string }>;
  backends(): object;
  config(): object;
}

/** How a reload ended: `faults` are each `file:line:column: path: got X, wanted Y`, `needsRestart` keys such as `listen.port`. */
export type ReloadResult =
  | { readonly kind: 'reloaded'; readonly needsRestart: readonly string[] }
  | { readonly kind: 'refused'; readonly faults: readonly string[] };

/** What operators can change. */
export interface AdminActions {
  /** Reads the configuration again. */
  reload(): Promise<ReloadResult>;
  /** Takes a replica out, or puts it back. Gives it as `GET /api/backends` shows it; null when there is none. */
  setDrained(backend: string, id: string, isDrained: boolean): object | null;
}

interface Options {
  readonly view: AdminView;
  readonly actions: AdminActions;
  /** Asked for by everything under /api; null for none. */
  readonly token: string | null;
  readonly isLoopback: boolean;
}

/** The operators' port. It answers no other origin (there is no CORS) and on loopback only loopback hosts, so that no web page can read it. */
export function adminApp({ view, token, isLoopback }: Options): Hono<{ Bindings: Connection }> {
  const app = new Hono<{ Bindings: Connection }>();
  app.use('*', async (context, next) => {
    const refusal = isLoopback ? refuseForeignHost(context.env.incoming) : null;
    if (refusal !== null) return context.json({ error: refusal.message }, 421);
    return next();
  });
  app.use('/api/*', async (context, next) => {
    if (token === null || isBearer(context, token)) return next();
    context.header('www-authenticate', 'Bearer');
    return context.json({ error: 'authorization: wanted Bearer with the token of admin.token' }, 401);
  });
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
  app.notFound((context) =>
    context.json({ error: `there is nothing at ${context.req.method} ${context.req.path}` }, 404),
  );
  return app;
}

/** Compares digests, so that the time it takes tells neither the length nor the beginning of the token. */
function isBearer(context: Context, token: string): boolean {
  const given = /^bearer (.+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
