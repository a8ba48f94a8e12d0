import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { GatewayError } from '../kernel/errors.ts';

const decoders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * A body without its content encoding, for reading; the replica gets it as it was sent. A body that would grow beyond `maxBytes` is
 * refused before it does. `reserve` is called before decoded bytes are kept and throws when there is no room for them.
 */
export async function decodeContent(
  payload: Uint8Array,
  encoding: string,
  maxBytes: number,
  reserve: (sizeBytes: number) => void = () => {},
): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity') return payload;
  if (!isDecodable(name)) {
    const wanted = Object.keys(decoders).join(', ');
    throw new GatewayError('encoding_unsupported', `content-encoding: got ${name}, wanted one of ${wanted}`, {
      field: 'content-encoding',
    });
  }
  try {
    return await decode(payload, name, maxBytes, reserve);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError('invalid_request', `content-encoding: the body is not ${name}, or not all of it`, {
      cause,
      field: 'content-encoding',
    });
  }
}

/** Piece by piece: the size is known only at the end, and what many bodies grow to at the same time must be known before. */
async function decode(
  payload: Uint8Array,
  name: keyof typeof decoders,
  maxBytes: number,
  reserve: (sizeBytes: number) => void,
): Promise<Uint8Array> {
  const decoder = decoders[name]();
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  decoder.end(payload);
  for await (const piece of decoder as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > maxBytes)
      throw new GatewayError('body_too_large', `the body is over ${maxBytes} bytes when decoded`);
    reserve(piece.length);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, sizeBytes);
}

function isDecodable(name: string): name is keyof typeof decoders {
  return Object.hasOwn(decoders, name);
}
