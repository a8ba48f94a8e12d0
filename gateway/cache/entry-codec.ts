import { crc32 } from 'node:zlib';
import type { CacheKey } from './key.ts';
import type { CacheEntry } from './store.ts';

/** Changes with the form below: what another version wrote is not read. */
const version = 1;

const mark = 0x4847_6300 + version;
const checkAt = 4;
const textBytesAt = 8;
const instantsAt = 12;
const textAt = instantsAt + 4 * 8;

/**
 * What stands in front of an entry's body where it is kept as bytes: a mark with the version, room for a checksum, the length of what is
 * text, four instants; then the etag and the headers as lines.
 */
export function encodeHead({ headers, etag, freshness }: Omit<CacheEntry, 'body'>): Buffer {
  const text = [etag, ...headers].join('\n');
  const textBytes = Buffer.byteLength(text);
  const head = Buffer.allocUnsafe(textAt + textBytes);
  head.writeUInt32BE(mark, 0);
  head.writeUInt32BE(0, checkAt);
  head.writeUInt32BE(textBytes, textBytesAt);
  head.writeDoubleBE(freshness.storedAtMs, instantsAt);
  head.writeDoubleBE(freshness.freshUntilMs, instantsAt + 8);
  head.writeDoubleBE(freshness.revalidateUntilMs, instantsAt + 16);
  head.writeDoubleBE(freshness.ifErrorUntilMs, instantsAt + 24);
  head.write(text, textAt);
  return head;
}

/** An entry as bytes that may come to harm: with a checksum of themselves and of the key. */
export function encodeEntry(key: CacheKey, entry: CacheEntry): Buffer {
  const bytes = Buffer.concat([encodeHead(entry), entry.body]);
  bytes.writeUInt32BE(checksum(key, bytes), checkAt);
  return bytes;
}

/** The entry that was kept under a key, or null where these bytes are none: of another version, cut off, changed, or another key's. */
export function decodeEntry(key: CacheKey, bytes: Buffer): CacheEntry | null {
  const isSound =
    bytes.length >= textAt && bytes.readUInt32BE(0) === mark && bytes.readUInt32BE(checkAt) === checksum(key, bytes);
  return isSound ? readEntry(bytes) : null;
}

/** The same of bytes that nobody can have changed. */
export function readEntry(bytes: Buffer): CacheEntry {
  const bodyAt = textAt + bytes.readUInt32BE(textBytesAt);
  const [etag = '', ...headers] = bytes.toString('utf8', textAt, bodyAt).split('\n');
  const freshness = {
    storedAtMs: bytes.readDoubleBE(instantsAt),
    freshUntilMs: bytes.readDoubleBE(instantsAt + 8),
    revalidateUntilMs: bytes.readDoubleBE(instantsAt + 16),
    ifErrorUntilMs: bytes.readDoubleBE(instantsAt + 24),
  };
  return { headers, body: bytes.subarray(bodyAt), etag, freshness };
}

function checksum(key: CacheKey, bytes: Buffer): number {
  return crc32(bytes.subarray(textBytesAt), crc32(key));
}
