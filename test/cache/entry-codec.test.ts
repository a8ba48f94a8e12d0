import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeEntry, encodeEntry } from '../../gateway/cache/entry-codec.ts';
import { bodies, entryOf, headerLists } from '../support/caching/entries.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 200, full: 20_000 });
const entry = entryOf('{"answer":42}', 1_750_000_000_000);
const bytes = encodeEntry('key', entry);

describe('an entry as bytes', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(headerLists, bodies, fc.string(), (headers, body, key) => {
        const written = { ...entry, headers, body };
        const read = decodeEntry(key, encodeEntry(key, written)) ?? assert.fail('none');
        assert.deepEqual({ ...read, body: [...read.body] }, { ...written, body: [...body] });
      }),
      { numRuns: numRuns / 4 },
    );
  });

  it('is none with any bit changed', () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(decodeEntry('key', changed), null, `bit ${bit}`);
    }
  });

  it('is none when it is cut off anywhere, or has something behind it', () => {
    for (let length = 0; length < bytes.length; length++)
      assert.equal(decodeEntry('key', bytes.subarray(0, length)), null, `${length} bytes`);
    assert.equal(decodeEntry('key', Buffer.concat([bytes, Buffer.of(0)])), null);
  });

  it('is none under another key', () => {
    assert.equal(decodeEntry('another', bytes), null);
  });

  it('is none in bytes that are anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        assert.equal(decodeEntry('key', Buffer.from(junk)), null);
      }),
      { numRuns },
    );
  });
});
