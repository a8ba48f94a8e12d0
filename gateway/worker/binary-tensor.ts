import { countElements, decodeBytes, elementBytes, type Tensor } from '../protocols/tensors.ts';
import { wrongField } from './fault.ts';
import type { TensorSpec } from './metadata.ts';

/** Where the bytes of a tensor come from, for messages. */
interface Fields {
  /** The tensor itself. */
  readonly tensor: string;
  /** What says how many bytes it has. */
  readonly size: string;
}

/** A tensor's values from its binary form: little-endian and row-major, checked but not copied. */
export function tensorFromBinary(
  raw: Uint8Array,
  fields: Fields,
  { datatype }: TensorSpec,
  shape: readonly number[],
): Tensor['data'] {
  const count = countElements(shape);
  const size = elementBytes[datatype];
  if (size !== null) {
    if (raw.length !== count * size)
      throw wrongField(fields.size, raw.length, `${count * size} for ${count} of ${datatype}`);
    const wrongAt = datatype === 'BOOL' ? raw.findIndex((byte) => byte > 1) : -1;
    if (wrongAt >= 0) throw wrongField(`${fields.tensor}[${wrongAt}]`, raw[wrongAt], 'a byte of 0 or 1 for BOOL');
    return raw;
  }
  const elements = decodeBytes(raw, count);
  if (elements === null)
    throw wrongField(fields.size, raw.length, `${count} elements, each its length as uint32 and its bytes`);
  return elements.map((element, at) => textFromBytes(element, `${fields.tensor}[${at}]`));
}

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One element of BYTES. The models take texts, for onnxruntime's binding to JavaScript does. */
export function textFromBytes(bytes: Uint8Array, field: string): string {
  let text: string;
  try {
    text = fatalUtf8.decode(bytes);
  } catch {
    throw wrongField(field, `${bytes.length} bytes that are none`, 'UTF-8: the models here take BYTES as texts');
  }
  return checkText(text, field);
}

/** Refuses a text that would not reach the model as it is: the binding ends it at its first NUL and replaces half a surrogate pair. */
export function checkText(text: string, field: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw wrongField(field, text, 'a text of whole characters and without NUL for BYTES');
  return text;
}
