/** One field of a protobuf message: its number, and a double or the bytes in it. */
interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** The fields of xds.data.orca.v3.OrcaLoadReport that are read, and of the entries of its maps. */
export const orcaFields = { rpsFractional: 6, eps: 7, namedMetrics: 8, applicationUtilization: 9 } as const;

/** The entry of a map from names to doubles; a value that is not written is zero (protobuf.dev/programming-guides/encoding). */
export function mapEntry(bytes: Buffer): { readonly name: string; readonly value: number } {
  const entry = { name: '', value: 0 };
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1 && typeof value !== 'number') entry.name = value.toString('utf8');
    if (number === 2 && typeof value === 'number') entry.value = value;
  }
  return entry;
}

/** The doubles and the bytes of a message in order; other kinds are passed over. Throws a `RangeError` where it does not go on as a message does. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      if (factor === 2 ** 63) throw new RangeError('a number of more than ten bytes');
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        varint();
        break;
      case 1:
        yield { number, value: message.readDoubleLE(at) };
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (length > message.length - at) throw new RangeError('a field that is longer than the message');
        yield { number, value: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        message.readUInt32LE(at);
        at += 4;
        break;
      default:
        throw new RangeError(`a field of kind ${tag % 8}`);
    }
  }
}
