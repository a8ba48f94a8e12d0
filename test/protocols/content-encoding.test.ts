import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { decodeContent } from '../../gateway/protocols/content-encoding.ts';

const text = '{"inputs":[{"name":"image","shape":[1,64]}]}'.repeat(3000);
const encoders = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync };
const mebibyte = 1 << 20;

describe('decoding a body', () => {
  for (const [encoding, encode] of Object.entries(encoders)) {
    it(`of ${encoding} gives what was encoded`, async () => {
      const decoded = await decodeContent(encode(text), encoding, mebibyte);
      assert.equal(Buffer.from(decoded).toString(), text);
    });

    it(`of ${encoding} lets it be as large as allowed, and refuses one byte more`, async () => {
      const size = Buffer.from(text).length;
      assert.equal((await decodeContent(encode(text), encoding, size)).length, size);
      await assert.rejects(decodeContent(encode(text), encoding, size - 1), { code: 'body_too_large' });
    });

    it(`of ${encoding} stops at the limit, however much a small body would become`, async () => {
      const bomb = encode(Buffer.alloc(8 * mebibyte));
      let reservedBytes = 0;
      const reserve = (sizeBytes: number): void => {
        reservedBytes += sizeBytes;
      };
      await assert.rejects(decodeContent(bomb, encoding, mebibyte, reserve), {
        code: 'body_too_large',
        message: 'the body is over 1048576 bytes when decoded',
      });
      assert.ok(reservedBytes <= mebibyte, `${reservedBytes} bytes were kept`);
    });

    it(`of ${encoding} refuses what is cut off, or something else`, async () => {
      const whole = encode(text);
      for (const body of [whole.subarray(0, whole.length / 2), Buffer.from(text), Buffer.alloc(0)]) {
        await assert.rejects(decodeContent(body, encoding, mebibyte), {
          code: 'invalid_request',
          message: `content-encoding: the body is not ${encoding}, or not all of it`,
          field: 'content-encoding',
        });
      }
    });
  }

  it('asks for room before it keeps bytes, and gives up where there is none', async () => {
    const full = new GatewayError('buffers_full', 'no room');
    const reserve = (): void => {
      throw full;
    };
    await assert.rejects(decodeContent(gzipSync(text), 'gzip', mebibyte, reserve), full);
  });

  it('of identity gives the body itself, and takes names in any case', async () => {
    const body = Buffer.from(text);
    assert.equal(await decodeContent(body, 'Identity', 1), body);
    assert.equal(Buffer.from(await decodeContent(gzipSync(text), ' GZIP ', mebibyte)).toString(), text);
  });

  it('names the encodings there are to who sends another', async () => {
    for (const encoding of ['zstd', 'gzip, br', 'constructor', ''])
      await assert.rejects(decodeContent(gzipSync(text), encoding, mebibyte), {
        code: 'encoding_unsupported',
        message: `content-encoding: got ${encoding}, wanted one of gzip, x-gzip, deflate, br`,
      });
  });
});
