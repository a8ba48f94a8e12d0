import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import { systemClock } from '../kernel/system-clock.ts';
import { type Tensor, typedView } from '../protocols/tensors.ts';
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
    // What fails is told in the answer; onnxruntime would also print it, on the stream on which the log goes out.
    logSeverityLevel: 4,
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
  if (!(data instanceof Uint8Array)) return new ort.Tensor('string', [...data], shape);
  if (datatype !== 'FP16')
    return new ort.Tensor(onnxTypeOf(datatype) as 'float32', typedView(datatype, data) as Float32Array, shape);
  // onnxruntime takes half-precision numbers as their bits. Where there is a Float16Array its JavaScript side makes one, of which its native side can make nothing.
  return Object.assign(new ort.Tensor('uint16', typedView('UINT16', data) as Uint16Array, shape), { type: 'float16' });
}

function fromOnnx({ name, datatype }: TensorSpec, value: ort.Tensor | undefined): Tensor {
  if (value === undefined) throw new Error(`the model gave no ${name}`);
  const { data, dims: shape } = value;
  if (Array.isArray(data)) return { name, datatype, shape, data };
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return { name, datatype, shape, data: new Uint8Array(buffer, byteOffset, byteLength) };
}
