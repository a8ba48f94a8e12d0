import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import { systemClock } from '../kernel/system-clock.ts';
import { aligned, elementBytes, type Tensor, typedView } from '../protocols/tensors.ts';
import type { EngineAnswer, EngineRequest } from './engine.ts';
import { onnxTypeOf, specOf, type TensorSpec } from './metadata.ts';

// The thread on which onnxruntime computes: a run blocks its JavaScript thread, and requests must be taken in meanwhile.

const { threads } = workerData as { threads: number };
const sessions = new Map<string, ort.InferenceSession>();

parentPort?.on('message', async (request: EngineRequest) => {
  const answer = await serve(request).catch((error: unknown): EngineAnswer => {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  });
  parentPort?.postMessage(answer);
});

function serve(request: EngineRequest): Promise<EngineAnswer> {
  return request.kind === 'load' ? load(request.key, request.file) : run(request.key, request.inputs);
}

async function load(key: string, file: string): Promise<EngineAnswer> {
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Waiting threads would otherwise spin for milliseconds after every run and take the processor from their neighbours.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
  sessions.set(key, session);
  return {
    kind: 'loaded',
    metadata: { inputs: session.inputMetadata.map(specOf), outputs: session.outputMetadata.map(specOf) },
  };
}

async function run(key: string, inputs: readonly Tensor[]): Promise<EngineAnswer> {
  const session = sessions.get(key);
  if (session === undefined) throw new Error(`${key} is not loaded`);
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOnnx(input)]));
  const startedAtMs = systemClock.nowMs();
  const results = await session.run(feeds);
  const tookMs = systemClock.nowMs() - startedAtMs;
  const outputs = session.outputMetadata.map(specOf).map((spec) => fromOnnx(spec, results[spec.name]));
  return { kind: 'done', outputs, tookMs };
}

function toOnnx({ datatype, data, shape }: Tensor): ort.Tensor {
  const type = onnxTypeOf(datatype);
  if (!(data instanceof Uint8Array)) return new ort.Tensor('string', [...data], shape);
  // onnxruntime takes half-precision numbers as their bits.
  const values =
    datatype === 'FP16'
      ? new Uint16Array(aligned(data, 2).buffer, aligned(data, 2).byteOffset, data.byteLength / 2)
      : typedView(datatype, data);
  return new ort.Tensor(type as 'float32', values as Float32Array, shape);
}

function fromOnnx({ name, datatype }: TensorSpec, value: ort.Tensor | undefined): Tensor {
  if (value === undefined) throw new Error(`the model gave no ${name}`);
  const { data, dims: shape } = value;
  if (Array.isArray(data)) return { name, datatype, shape, data };
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  const size = elementBytes[datatype] ?? 1;
  return { name, datatype, shape, data: new Uint8Array(buffer, byteOffset, byteLength - (byteLength % size)) };
}
