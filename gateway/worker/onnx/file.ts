import { readFile, writeFile } from 'node:fs/promises';
import { modelMessage } from './descriptor.ts';
import type { Model } from './model.ts';

/** The bytes of an ONNX file. The same model gives the same bytes. */
export function encodeModel(model: Model): Uint8Array {
  return plainBytes(modelMessage.encode(modelMessage.fromObject(model)).finish());
}

/**
 * The model in an ONNX file's bytes; throws on bytes that are not protobuf. Constants are views of `bytes`, which must
 * not be changed afterwards. Elements that lie in another file are not read.
 */
export function decodeModel(bytes: Uint8Array): Model {
  const message = modelMessage.decode(plainBytes(bytes));
  // Exactly what `Model` says, by the descriptor: absent fields stay absent, repeated ones become arrays.
  return modelMessage.toObject(message, { longs: BigInt, arrays: true }) as Model;
}

/** Writes a model to a file, replacing what was there. */
export async function saveModel(path: string, model: Model): Promise<void> {
  await writeFile(path, encodeModel(model));
}

/** Reads a model from a file; see `decodeModel`. */
export async function loadModel(path: string): Promise<Model> {
  return decodeModel(await readFile(path));
}

/** The same memory, no longer a Buffer: protobufjs would make every constant a Buffer too. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
