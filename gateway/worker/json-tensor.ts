import { countElements, type Datatype, elementBytes, type Tensor } from '../protocols/tensors.ts';
import { checkText } from './binary-tensor.ts';
import { wrongField } from './fault.ts';

/** How one element of a datatype is written in JSON, and put into bytes. */
interface ElementForm {
  readonly wanted: string;
  accepts(value: unknown): boolean;
  write(view: DataView, at: number, value: never): void;
}

const whole = (
  minimum: bigint,
  maximum: bigint,
  write: (view: DataView, at: number, value: number | bigint) => void,
): ElementForm => ({
  wanted: `whole numbers from ${minimum} to ${maximum}`,
  // A number that is not safe has lost digits: parsing keeps long integers as BigInt.
  accepts: (value) =>
    (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) &&
    value >= minimum &&
    value <= maximum,
  write,
});

const signed = (bits: number): [bigint, bigint] => [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n];
const unsigned = (bits: number): [bigint, bigint] => [0n, 2n ** BigInt(bits) - 1n];

const floating = (round: (value: number) => number, write: ElementForm['write']): ElementForm => ({
  wanted: 'numbers within its range',
  accepts: (value) => (typeof value === 'number' || typeof value === 'bigint') && Number.isFinite(round(Number(value))),
  write,
});

const forms: Partial<Record<Datatype, ElementForm>> = {
  BOOL: {
    wanted: 'true, false, 0 or 1',
    accepts: (value) => typeof value === 'boolean' || value === 0 || value === 1,
    write: (view, at, value) => view.setUint8(at, value ? 1 : 0),
  },
  UINT8: whole(...unsigned(8), (view, at, value) => view.setUint8(at, Number(value))),
  UINT16: whole(...unsigned(16), (view, at, value) => view.setUint16(at, Number(value), true)),
  UINT32: whole(...unsigned(32), (view, at, value) => view.setUint32(at, Number(value), true)),
  UINT64: whole(...unsigned(64), (view, at, value) => view.setBigUint64(at, BigInt(value), true)),
  INT8: whole(...signed(8), (view, at, value) => view.setInt8(at, Number(value))),
  INT16: whole(...signed(16), (view, at, value) => view.setInt16(at, Number(value), true)),
  INT32: whole(...signed(32), (view, at, value) => view.setInt32(at, Number(value), true)),
  INT64: whole(...signed(64), (view, at, value) => view.setBigInt64(at, BigInt(value), true)),
  FP32: floating(Math.fround, (view, at, value) => view.setFloat32(at, Number(value), true)),
  FP64: floating(Number, (view, at, value) => view.setFloat64(at, Number(value), true)),
};

/** A tensor's values from JSON: a flat list in row-major order, or lists nested as the shape says. */
export function tensorFromJson(
  data: unknown,
  field: string,
  datatype: Datatype,
  shape: readonly number[],
): Tensor['data'] {
  const form = forms[datatype];
  if (form === undefined && datatype !== 'BYTES')
    throw wrongField(field, data, `binary data, for ${datatype} has no form in JSON`);
  const values = flatten(data, field, shape);
  if (form === undefined) {
    return values.map((value, at) => {
      if (typeof value !== 'string') throw wrongField(`${field}[${at}]`, value, 'texts for BYTES');
      return checkText(value, `${field}[${at}]`);
    });
  }
  const size = elementBytes[datatype] ?? 1;
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (!form.accepts(value)) throw wrongField(`${field}[${at}]`, value, `${form.wanted} for ${datatype}`);
    form.write(view, at * size, value as never);
  }
  return bytes;
}

function flatten(data: unknown, field: string, shape: readonly number[]): readonly unknown[] {
  const count = countElements(shape);
  if (!Array.isArray(data)) throw wrongField(field, data, `a list of ${count} values`);
  const isNested = data.length > 0 && Array.isArray(data[0]);
  if (!isNested) {
    if (data.length !== count)
      throw wrongField(field, `${data.length} values`, `${count} for shape [${shape.join(', ')}]`);
    return data;
  }
  const values: unknown[] = [];
  collect(data, field, shape, values);
  return values;
}

/** Walks nested lists, each as long as its dimension. */
function collect(data: unknown, field: string, shape: readonly number[], into: unknown[], depth = 0): void {
  const length = shape[depth];
  if (length === undefined) {
    into.push(data);
    return;
  }
  if (!Array.isArray(data)) throw wrongField(field, data, `a list of ${length}`);
  if (data.length !== length) throw wrongField(field, `a list of ${data.length}`, `a list of ${length}`);
  if (depth === shape.length - 1) for (const value of data) into.push(value);
  else for (const [at, part] of data.entries()) collect(part, `${field}[${at}]`, shape, into, depth + 1);
}
