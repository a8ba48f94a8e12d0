import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { GatewayError } from '../kernel/errors.ts';

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** A body without its content encoding, for reading; the replica gets it as it was sent. A body that would grow beyond `maxBytes` is refused before it does. */
export async function decodeContent(payload: Uint8Array, encoding: string, maxBytes: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity') return payload;
  if (!isDecodable(name)) {
    const wanted = Object.keys(decoders).join(', ');
    throw new GatewayError('encoding_unsupported', `content-encoding: got ${name}, wanted one of ${wanted}`, {
      field: 'content-encoding',
    });
  }
  try {
    return await decoders[name](payload, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new GatewayError('body_too_large', `the body is over ${maxBytes} bytes when decoded (listen.max_body)`, {
        cause,
      });
    }
    throw new GatewayError('invalid_request', `content-encoding: the body is not ${name}`, {
      cause,
      field: 'content-encoding',
    });
  }
}

function isDecodable(name: string): name is keyof typeof decoders {
  return Object.hasOwn(decoders, name);
}
