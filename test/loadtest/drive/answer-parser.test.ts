import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerParser, BrokenAnswer } from '../../../loadtest/drive/answer-parser.ts';
import { repetitions } from '../../support/counts.ts';

interface Seen {
  readonly heads: { status: number; headers: Record<string, string> }[];
  body: string;
  ends: number;
  keepsAlive: boolean;
}

/** What a parser makes of bytes that come in pieces. */
function read(text: string, cuts: readonly number[] = [], closes = false): Seen {
  const seen: Seen = { heads: [], body: '', ends: 0, keepsAlive: false };
  const parser = new AnswerParser({
    head: ({ status, headers }) => void seen.heads.push({ status, headers: Object.fromEntries(headers) }),
    body(bytes, from, until) {
      seen.body += bytes.toString('latin1', from, until);
    },
    end() {
      seen.ends += 1;
    },
  });
  parser.expect();
  const bytes = Buffer.from(text, 'latin1');
  // Behind what a read brought there is what an earlier one left.
  const space = Buffer.alloc(bytes.length + 64, '\n');
  const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])].toSorted((a, b) => a - b);
  for (const [at, from] of places.slice(0, -1).entries()) {
    const size = bytes.copy(space, 0, from, places[at + 1]);
    parser.take(space, size);
  }
  if (closes) parser.close();
  seen.keepsAlive = parser.keepsAlive;
  return seen;
}

const chunked = 'transfer-encoding: chunked';
const answers = {
  'a sized one': {
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: a:b\r\n\r\nhello',
    body: 'hello',
    alive: true,
  },
  'an empty one': { text: 'HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n', body: '', alive: true },
  'one without a body': { text: 'HTTP/1.1 204 No Content\r\n\r\n', body: '', alive: true },
  chunks: {
    text: `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n`,
    body: 'hello0123456789',
    alive: true,
  },
  'chunks with a trailer': {
    text: `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n2\r\n\r\n\r\n0\r\nx-sum: 1\r\n\r\n`,
    body: '\r\n',
    alive: true,
  },
  'one after an early hint': {
    text: 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    body: 'ok',
    alive: true,
  },
  'one that closes': {
    text: 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
    body: 'ok',
    alive: false,
  },
} as const;

for (const [name, { text, body, alive }] of Object.entries(answers))
  test(`${name} is read the same however its bytes come`, () => {
    const whole = read(text);
    assert.deepEqual([whole.heads.length, whole.body, whole.ends, whole.keepsAlive], [1, body, 1, alive]);
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 12 }), (cuts) => {
        assert.deepEqual(read(text, cuts), whole);
      }),
      { numRuns: repetitions({ quick: 200, full: 20_000 }) },
    );
  });

test('names of headers are in lower case, and values keep their colons', () => {
  assert.deepEqual(read(answers['a sized one'].text).heads, [
    { status: 200, headers: { 'content-length': '5', 'x-one': 'a:b' } },
  ]);
});

test('an answer without a length ends with its connection, which carries no other', () => {
  const text = 'HTTP/1.1 200 OK\r\n\r\nhello';
  assert.equal(read(text).ends, 0);
  const closed = read(text, [20], true);
  assert.deepEqual([closed.body, closed.ends, closed.keepsAlive], ['hello', 1, false]);
});

const broken = {
  'no HTTP': 'SSH-2.0-OpenSSH\r\n\r\n',
  'a chunk without a size': `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\nxyz\r\n`,
  'bytes after the end': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more',
  'a head without an end': `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`,
};
for (const [name, text] of Object.entries(broken))
  test(`${name} breaks the answer`, () => {
    assert.throws(() => read(text), BrokenAnswer);
  });

for (const text of [
  '',
  'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello',
  `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n5\r\nhel`,
])
  test(`a connection that ends after ${text.length} bytes of an answer breaks it`, () => {
    assert.throws(() => read(text, [], true), BrokenAnswer);
  });
