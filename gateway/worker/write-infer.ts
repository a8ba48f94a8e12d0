import { encodeBytes, type Tensor, toJsonText } from '../protocols/tensors.ts';
import type { InferRequest } from './read-infer.ts';

/** An answer ready to be sent. */
export interface InferAnswer {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes of JSON in front of binary tensors; null where everything is JSON. */
  readonly headerLength: number | null;
}

interface Source {
  readonly model: string;
  readonly version: string;
  readonly outputs: readonly Tensor[];
}

/** Writes the outputs that were asked for, each in the form it was asked for in; the id is echoed. */
export function writeInfer({ id, outputs: wanted }: InferRequest, { model, version, outputs }: Source): InferAnswer {
  const binary: Uint8Array[] = [];
  const parts = wanted.map(({ name, isBinary }) => {
    const tensor = outputs.find((one) => one.name === name);
    if (tensor === undefined) throw new Error(`the model gave no ${name}`);
    const head = `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":${JSON.stringify(tensor.shape)}`;
    if (!isBinary) return `${head},"data":${toJsonText(tensor)}}`;
    const raw = tensor.data instanceof Uint8Array ? tensor.data : encodeBytes(tensor.data);
    binary.push(raw);
    return `${head},"parameters":{"binary_data_size":${raw.length}}}`;
  });
  const idPart = id === null ? '' : `"id":${JSON.stringify(id)},`;
  const json = Buffer.from(
    `{"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(version)},${idPart}"outputs":[${parts.join(',')}]}`,
  );
  if (binary.length === 0) return { body: new Uint8Array(json), headerLength: null };
  return { body: new Uint8Array(Buffer.concat([json, ...binary])), headerLength: json.length };
}
