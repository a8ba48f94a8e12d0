import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { type ErrorCode, GatewayError } from '../../gateway/kernel/errors.ts';
import { decodeContent } from '../../gateway/protocols/content-encoding.ts';

const plain = Buffer.from('a body '.repeat(1000));

async function fails(
  body: Uint8Array,
  encoding: string,
  code: ErrorCode,
  says: RegExp,
  maxBytes = 10_000,
): Promise<void> {
  await assert.rejects(decodeContent(body, encoding, maxBytes), (error: unknown) => {
    assert.ok(error instanceof GatewayError);
    assert.equal(error.code, code);
    assert.match(error.message, says);
    return true;
  });
}

test('every encoding that is known is undone, however it is spelled', async () => {
  const bodies = {
    gzip: gzipSync(plain),
    'x-gzip': gzipSync(plain),
    deflate: deflateSync(plain),
    br: brotliCompressSync(plain),
  };
  for (const [encoding, body] of Object.entries(bodies)) {
    for (const spelling of [encoding, encoding.toUpperCase(), ` ${encoding} `])
      assert.deepEqual(Buffer.from(await decodeContent(body, spelling, plain.length)), plain);
  }
  assert.equal(await decodeContent(plain, 'identity', 1), plain);
});

test('an unknown encoding, and one upon another, is refused with those that are known', async () => {
  for (const encoding of ['zip', '', 'gzip, gzip', 'toString', '__proto__'])
    await fails(
      gzipSync(plain),
      encoding,
      'encoding_unsupported',
      /^content-encoding: got .*wanted one of gzip, x-gzip, deflate, br$/,
    );
});

test('a body that is not so encoded, or not to its end, is refused', async () => {
  for (const encoding of ['gzip', 'deflate', 'br'])
    await fails(plain, encoding, 'invalid_request', /^content-encoding: the body is not/);
  await fails(gzipSync(plain).subarray(0, -1), 'gzip', 'invalid_request', /not gzip/);
  await fails(new Uint8Array(0), 'gzip', 'invalid_request', /not gzip/);
});

test('a body that would grow beyond the limit is refused, and one up to it is not', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  await fails(bomb, 'gzip', 'body_too_large', /over 10000 bytes when decoded/);
  await fails(gzipSync(plain), 'gzip', 'body_too_large', /when decoded/, plain.length - 1);
  assert.equal((await decodeContent(gzipSync(plain), 'gzip', plain.length)).length, plain.length);
});
