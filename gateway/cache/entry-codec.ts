import { crc32 } from 'node:zlib';
import type { CacheKey } from './key.ts';
import type { CacheEntry } from './store.ts';

/** Changes with the form below: what another version wrote is not read. */
const version = 1;

const mark = 0x4847_6300 + version;
const checkAt = 4;
const headBytesAt = 8;
const instantsAt = 12;
const headAt = instantsAt + 4 * 8;

/**
 * An entry as bytes: a mark with the version, a checksum of everything behind it and of the key, four instants, the etag and the headers as
 * lines, and the body.
 */
export function encodeEntry(key: CacheKey, { headers, body, etag, freshness }: CacheEntry): Buffer {
  const head = Buffer.from([etag, ...headers].join('\n'));
  const bytes = Buffer.allocUnsafeSlow(headAt + head.length + body.length);
  bytes.writeUInt32BE(mark, 0);
  bytes.writeUInt32BE(head.length, headBytesAt);
  bytes.writeDoubleBE(freshness.storedAtMs, instantsAt);
  bytes.writeDoubleBE(freshness.freshUntilMs, instantsAt + 8);
  bytes.writeDoubleBE(freshness.revalidateUntilMs, instantsAt + 16);
  bytes.writeDoubleBE(freshness.ifErrorUntilMs, instantsAt + 24);
  bytes.set(head, headAt);
  bytes.set(body, headAt + head.length);
  bytes.writeUInt32BE(checksum(key, bytes), checkAt);
  return bytes;
}

/** The entry that was kept under a key, or null where these bytes are none: of another version, cut off, changed, or another key's. */
export function decodeEntry(key: CacheKey, bytes: Buffer): CacheEntry | null {
  const isSound =
    bytes.length >= headAt && bytes.readUInt32BE(0) === mark && bytes.readUInt32BE(checkAt) === checksum(key, bytes);
  return isSound ? readEntry(bytes) : null;
}

/** The same of bytes that nobody can have changed. */
export function readEntry(bytes: Buffer): CacheEntry {
  const bodyAt = headAt + bytes.readUInt32BE(headBytesAt);
  const [etag = '', ...headers] = bytes.toString('utf8', headAt, bodyAt).split('\n');
  const freshness = {
    storedAtMs: bytes.readDoubleBE(instantsAt),
    freshUntilMs: bytes.readDoubleBE(instantsAt + 8),
    revalidateUntilMs: bytes.readDoubleBE(instantsAt + 16),
    ifErrorUntilMs: bytes.readDoubleBE(instantsAt + 24),
  };
  return { headers, body: bytes.subarray(bodyAt), etag, freshness };
}

function checksum(key: CacheKey, bytes: Buffer): number {
  return crc32(bytes.subarray(headBytesAt), crc32(key));
}
