import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { GatewayError } from '../kernel/errors.ts';
import { decodeContent } from '../protocols/content-encoding.ts';
import { headerLengthHeader, modelEndpoints } from '../protocols/open-inference.ts';
import { formatLoadReport, wantedFormat } from '../upstream/load-report.ts';
import type { Batcher, Computed } from './batcher.ts';
import { RequestFault } from './fault.ts';
import type { LoadedModel, Models } from './models.ts';
import { readInfer } from './read-infer.ts';
import { writeInfer } from './write-infer.ts';

interface Parts {
  readonly models: Models;
  readonly batcher: Batcher;
  readonly version: string;
  readonly maxBodyBytes: number;
  metrics(): Promise<{ contentType: string; text: string }>;
}

type Answer = (context: Context, parts: Parts) => Response | Promise<Response>;

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
export function workerApp(parts: Parts): Hono {
  const app = new Hono();
  const { models, version, maxBodyBytes } = parts;
  const isReady = (): boolean => models.all.length > 0;
  const server = { name: 'headgate-worker', version, extensions: ['binary_tensor_data'] };
  app.get('/v2', (context) => context.json(server));
  app.get('/v2/', (context) => context.json(server));
  app.get('/v2/models', (context) => context.json({ models: [...new Set(models.all.map((one) => one.name))] }));
  app.get('/v2/health/live', (context) => context.json({ live: true }));
  app.get('/v2/health/ready', (context) => context.json({ ready: isReady() }, isReady() ? 200 : 503));
  app.get('/metrics', async (context) => {
    const { contentType, text } = await parts.metrics();
    return context.body(text, 200, { 'content-type': contentType });
  });
  const tooLarge = (): never => {
    throw new RequestFault(413, `the body is over ${maxBodyBytes} bytes`);
  };
  for (const { method, pattern, operation } of modelEndpoints) {
    const answer = operations[operation];
    if (answer === undefined) continue;
    if (method === 'POST') app.use(pattern, bodyLimit({ maxSize: maxBodyBytes, onError: tooLarge }));
    app.on(method, pattern, (context) => answer(context, parts));
    app.all(pattern, (context) =>
      context.json({ error: `${context.req.path}: got ${context.req.method}, wanted ${method}` }, 405),
    );
  }
  app.notFound((context) =>
    context.json({ error: `there is nothing at ${context.req.method} ${context.req.path}` }, 404),
  );
  app.onError((error, context) => refuse(error, context));
  return app;
}

function found(context: Context, models: Models): LoadedModel {
  return models.find(context.req.param('model') ?? '', context.req.param('version'));
}

async function infer(context: Context, { models, batcher, maxBodyBytes }: Parts): Promise<Response> {
  const model = found(context, models);
  const body = new Uint8Array(await context.req.arrayBuffer());
  const encoding = context.req.header('content-encoding');
  const content = encoding === undefined ? body : await decodeContent(body, encoding, maxBodyBytes);
  const request = readInfer(content, context.req.header(headerLengthHeader) ?? null, model);
  const computed = await batcher.compute(model, request.inputs, context.req.raw.signal);
  const answer = writeInfer(request, { model: model.name, version: model.version, outputs: computed.outputs });
  return new Response(answer.body, { headers: answerHeaders(context, answer.headerLength, model, computed, batcher) });
}

function answerHeaders(
  context: Context,
  headerLength: number | null,
  { maxBatch, card }: LoadedModel,
  { serviceMs }: Computed,
  batcher: Batcher,
): Record<string, string> {
  const format = wantedFormat(context.req.header('endpoint-load-metrics-format')) ?? 'JSON';
  const report = {
    slots: maxBatch ?? 1,
    inFlight: batcher.inFlight,
    queued: batcher.queued,
    serviceSeconds: serviceMs / 1000,
  };
  return {
    'endpoint-load-metrics': formatLoadReport(report, format),
    ...(card.isBatchInvariant ? {} : { 'x-headgate-batch-invariant': 'false' }),
    ...(headerLength === null
      ? { 'content-type': 'application/json' }
      : { 'content-type': 'application/octet-stream', [headerLengthHeader]: String(headerLength) }),
  };
}

function refuse(error: Error, context: Context): Response {
  if (error instanceof RequestFault) return context.json({ error: error.message }, error.status);
  if (error instanceof GatewayError && error.status < 500)
    return context.json({ error: error.message }, error.status as 400);
  return context.json({ error: error.message }, 500);
}
