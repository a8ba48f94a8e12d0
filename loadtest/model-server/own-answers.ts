import type { AnswerHeaders } from './asked.ts';
import { metricsPage } from './dialects.ts';
import { prometheusType } from './prometheus-text.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** An answer that is ready at once: JSON, or a text with its type. */
export interface ShortAnswer {
  readonly status: number;
  readonly headers?: AnswerHeaders;
  readonly body: object | string;
}

type Tell = (server: SimulatedServer) => ShortAnswer;

/** What is told of the server itself: health in the words of both protocols, models, load, what a cloud tells of an interruption, and our own. */
const answers: Readonly<Record<string, Tell>> = {
  'GET /health': ready,
  'GET /v2/health/ready': ready,
  'GET /v2/health/live': () => ({ status: 200, body: { live: true } }),
  'GET /v2': () => ({ status: 200, body: { name: 'simulated', version: '1', extensions: ['binary_tensor_data'] } }),
  'GET /v1/models': ({ settings }) => {
    const data = settings.models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'simulated' }));
    return { status: 200, body: { object: 'list', data } };
  },
  'GET /v2/models': ({ settings }) => ({ status: 200, body: { models: settings.models } }),
  'GET /metrics': ({ settings, engine }) => {
    const text = metricsPage(settings.tells.metrics, settings.models[0] ?? '', engine.load());
    return text === null ? nothing : { status: 200, headers: { 'content-type': prometheusType }, body: text };
  },
  // As the instance metadata of EC2 has it: 404 as long as there is no notice.
  'GET /latest/meta-data/spot/instance-action': ({ noticeAtMs, nowMs, wallMs }) => {
    if (noticeAtMs === null) return nothing;
    const time = new Date(wallMs + noticeAtMs - nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    return { status: 200, body: { action: 'terminate', time } };
  },
  'GET /simulated': ({ settings, nowMs, condition, engine }) => ({
    status: 200,
    body: { name: settings.name, kind: settings.kind, sinceStartMs: nowMs, condition, load: engine.load() },
  }),
  // For a harness that compares: every run begins with the same server, and faults begin with the run.
  'POST /simulated/restart': (server) => {
    server.restart();
    return { status: 200, body: { restarted: true } };
  },
};

const nothing: ShortAnswer = { status: 404, body: { error: 'there is nothing here' } };
const modelPath = /^\/v2\/models\/([^/]+)(?:\/versions\/[^/]+)?(\/ready)?$/;

/** Answers what is not for a model to compute. */
export function ownAnswer(server: SimulatedServer, method: string, path: string): ShortAnswer {
  const answer = answers[`${method} ${path}`];
  if (answer !== undefined) return answer(server);
  const [whole, model = '', isReady] = modelPath.exec(path) ?? [];
  if (method !== 'GET' || whole === undefined || !server.settings.models.includes(model)) return nothing;
  if (isReady !== undefined) return { ...ready(server), body: { name: model, ready: server.condition === 'up' } };
  const body = { name: model, versions: ['1'], platform: 'simulated', inputs: [], outputs: [output] };
  return { status: 200, body };
}

const output = { name: 'output', datatype: 'FP32', shape: [-1, -1] };

function ready({ condition }: SimulatedServer): ShortAnswer {
  const isReady = condition === 'up';
  return { status: isReady ? 200 : 503, body: { ready: isReady } };
}
