import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { GatewayError } from '../kernel/errors.ts';
import { decodeContent } from '../protocols/content-encoding.ts';
import { headerLengthHeader, modelEndpoints } from '../protocols/open-inference.ts';
import { formatLoadReport, wantedFormat } from '../upstream/load-report.ts';
import type { Batcher } from './batcher.ts';
import { RequestFault } from './fault.ts';
import type { LoadedModel, Models } from './models.ts';
import { readInfer } from './read-infer.ts';
import { writeInfer } from './write-infer.ts';

interface Parts {
  readonly models: Models;
  readonly batcher: Batcher;
  readonly version: string;
  readonly maxBodyBytes: number;
  /** While it drains the worker says that it is not ready, and closes every connection behind its answer. */
  readonly standing: { readonly isDraining: boolean };
  metrics(): Promise<{ contentType: string; text: string }>;
}

/** What a request leaves for its reply's load report. */
interface Noted {
  readonly Variables: { serviceMs?: number };
}

type Answer = (context: Context<Noted>, parts: Parts) => Response | Promise<Response>;

/** The endpoints that are about the worker rather than a model. */
const serverEndpoints: Readonly<Record<string, Answer>> = {
  '/v2': describeServer,
  '/v2/': describeServer,
  '/v2/models': (context, { models }) => context.json({ models: [...new Set(models.all.map((one) => one.name))] }),
  '/v2/health/live': (context) => context.json({ live: true }),
  '/v2/health/ready': (context, { models, standing }) => {
    if (models.all.length > 0 && !standing.isDraining) return context.json({ ready: true });
    const broken = models.broken.map(({ name, reason: why }) => `${name}: ${why}`);
    const reason = standing.isDraining ? 'the worker is draining' : ['no model could be loaded', ...broken].join('; ');
    return context.json({ ready: false, reason }, 503);
  },
  '/metrics': async (context, { metrics }) => {
    const { contentType, text } = await metrics();
    return context.body(text, 200, { 'content-type': contentType });
  },
};

/** What the worker does for each operation of the protocol; those it has nothing for answer 404. */
const operations: Readonly<Record<string, Answer>> = {
  metadata: (context, { models }) => {
    const { name, metadata } = found(context, models);
    const versions = models.versionsOf(name).map((one) => one.version);
    return context.json({ name, versions, platform: 'onnx_onnxv1', ...metadata });
  },
  ready: (context, { models }) => context.json({ name: found(context, models).name, ready: true }),
  infer,
};

/** The routes of a worker. */
export function workerApp(parts: Parts): Hono<Noted> {
  const app = new Hono<Noted>();
  const slots = Math.max(1, ...parts.models.all.map(({ maxBatch }) => maxBatch ?? 1));
  app.use(async (context, next) => {
    await next();
    addReport(context, parts, slots);
  });
  for (const [path, answer] of Object.entries(serverEndpoints)) mount(app, 'GET', path, answer, parts);
  for (const { method, pattern, operation } of modelEndpoints) {
    const answer = operations[operation];
    if (answer !== undefined) mount(app, method, pattern, answer, parts);
  }
  app.notFound((context) =>
    context.json({ error: `there is nothing at ${context.req.method} ${context.req.path}` }, 404),
  );
  app.onError((error, context) => refuse(error, context));
  return app;
}

function mount(app: Hono<Noted>, method: 'GET' | 'POST', pattern: string, answer: Answer, parts: Parts): void {
  const { maxBodyBytes } = parts;
  const tooLarge = (): never => {
    throw new RequestFault(413, `the body is over ${maxBodyBytes} bytes`);
  };
  if (method === 'POST') app.post(pattern, bodyLimit({ maxSize: maxBodyBytes, onError: tooLarge }));
  app.on(method, pattern, (context) => answer(context, parts));
  app.all(pattern, ({ json, req }) =>
    json({ error: `${req.path}: got ${req.method}, wanted ${method}` }, 405, { allow: method }),
  );
}

function describeServer(context: Context, { version }: Parts): Response {
  return context.json({ name: 'headgate-worker', version, extensions: ['binary_tensor_data'] });
}

function found(context: Context, models: Models): LoadedModel {
  return models.find(context.req.param('model') ?? '', context.req.param('version'));
}

async function infer(context: Context<Noted>, { models, batcher, maxBodyBytes }: Parts): Promise<Response> {
  const model = found(context, models);
  const body = new Uint8Array(await context.req.arrayBuffer());
  const encoding = context.req.header('content-encoding');
  const content = encoding === undefined ? body : await decodeContent(body, encoding, maxBodyBytes);
  const request = readInfer(content, context.req.header(headerLengthHeader) ?? null, model);
  const { outputs, serviceMs } = await batcher.compute(model, request.inputs, context.req.raw.signal);
  context.set('serviceMs', serviceMs);
  const { body: answer, headerLength } = writeInfer(request, { model: model.name, version: model.version, outputs });
  return new Response(answer, {
    headers: {
      ...(model.card.isBatchInvariant ? {} : { 'x-headgate-batch-invariant': 'false' }),
      ...(headerLength === null
        ? { 'content-type': 'application/json' }
        : { 'content-type': 'application/octet-stream', [headerLengthHeader]: String(headerLength) }),
    },
  });
}

/** Tells with every reply how busy the worker is. The slots are the worker's and not the model's, for the gateway keeps one number for a replica. */
function addReport(context: Context<Noted>, { batcher, standing }: Parts, slots: number): void {
  const format = wantedFormat(context.req.header('endpoint-load-metrics-format')) ?? 'JSON';
  const serviceMs = context.get('serviceMs');
  const report = {
    slots,
    inFlight: batcher.inFlight,
    queued: batcher.queued,
    serviceSeconds: serviceMs === undefined ? null : serviceMs / 1000,
  };
  // Set on the reply itself: by way of the context Hono would copy it, and its body would become a stream.
  context.res.headers.set('endpoint-load-metrics', formatLoadReport(report, format));
  if (standing.isDraining) context.res.headers.set('connection', 'close');
}

function refuse(error: Error, context: Context): Response {
  if (error instanceof RequestFault) return context.json({ error: error.message }, error.status);
  if (error instanceof GatewayError && error.status < 500)
    return context.json({ error: error.message }, error.status as 400);
  return context.json({ error: error.message }, 500);
}
