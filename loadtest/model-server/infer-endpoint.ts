import { headerLengthHeader } from '../../gateway/protocols/open-inference.ts';
import { type AnswerHeaders, type Asked, headerOf, isRecord, jsonObject, sendWhole } from './asked.ts';
import { type Endpoint, timingHeaders, type Wrong, whenLost } from './endpoint.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { TensorEngine } from './tensor-engine.ts';

const inferPath = /^\/v2\/models\/([^/]+)(?:\/versions\/[^/]+)?\/infer$/;

/** POST /v2/models/M/infer of the Open Inference Protocol: every model takes anything, and gives `columns` numbers for each row of its first input. */
export function inferEndpoint(server: SimulatedServer<TensorEngine>, columns: number): Endpoint {
  return {
    matches: (path) => inferPath.test(path),
    errorBody: (_status, message) => ({ error: message }),
    read(asked) {
      const model = decoded(inferPath.exec(asked.request.path)?.[1] ?? '');
      if (model === null) return { status: 400, message: 'the name of the model cannot be decoded' };
      return { model, start: () => start(asked, model) };
    },
  };

  function start(asked: Asked, model: string): Wrong | 'full' | null {
    const json = jsonObject(jsonPart(asked));
    if (json === null) return { status: 400, message: 'body: wanted a JSON object' };
    const rows = rowsOf(json);
    if (rows === null) return { status: 400, message: 'inputs: wanted a list of tensors, each with a shape' };
    const job = server.engine.submit(server.nowMs, rows, (ended) => {
      const { headers, body } = answerOf({ json, model, rows, columns });
      sendWhole(asked, 200, { ...timingHeaders(server, asked.request, ended), ...headers }, body);
    });
    if (job === null) return 'full';
    whenLost(server, asked.answer, (engine, nowMs) => engine.leave(job, nowMs));
    return null;
  }
}

function jsonPart({ request }: Asked): Buffer {
  const { body } = request;
  const length = headerOf(request, headerLengthHeader);
  return length === undefined ? body : body.subarray(0, Number(length));
}

/** Null for what is no text once it is decoded. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** The first dimension of the first input; 1 for a scalar. */
function rowsOf({ inputs }: Readonly<Record<string, unknown>>): number | null {
  const first: unknown = Array.isArray(inputs) ? inputs[0] : null;
  if (!isRecord(first) || !Array.isArray(first.shape)) return null;
  const rows: unknown = first.shape[0] ?? 1;
  return typeof rows === 'number' && Number.isInteger(rows) && rows >= 0 && rows <= mostRows ? rows : null;
}

const mostRows = 100_000;

interface Answer {
  readonly json: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly rows: number;
  readonly columns: number;
}

function answerOf({ json, model, rows, columns }: Answer): { headers: AnswerHeaders; body: Buffer } {
  const output = { name: 'output', datatype: 'FP32', shape: [rows, columns] };
  const top = { model_name: model, model_version: '1', ...('id' in json ? { id: json.id } : {}) };
  // Halves and quarters: the same number in binary and in JSON.
  const data = Float32Array.from({ length: rows * columns }, (_, at) => (at % 64) / 4);
  if (!isRecord(json.parameters) || json.parameters.binary_data_output !== true) {
    const body = JSON.stringify({ ...top, outputs: [{ ...output, data: Array.from(data) }] });
    return { headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
  }
  const parameters = { binary_data_size: data.byteLength };
  const head = Buffer.from(JSON.stringify({ ...top, outputs: [{ ...output, parameters }] }));
  return {
    headers: { 'content-type': 'application/octet-stream', [headerLengthHeader]: head.length },
    body: Buffer.concat([head, Buffer.from(data.buffer)]),
  };
}
