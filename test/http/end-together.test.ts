import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { endTogether } from '../../gateway/http/end-together.ts';
import { portOf } from '../../gateway/http/server.ts';

test('answers end together, when the events that wait have been handled, and whole; one whose client has left is left alone', async (t) => {
  const waiting: ServerResponse[] = [];
  const three = Promise.withResolvers<void>();
  const server = createServer((_incoming, outgoing) => {
    outgoing.on('error', three.reject);
    if (waiting.push(outgoing) === 3) three.resolve();
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gone = new AbortController();
  const ask = (path: string, signal?: AbortSignal): Promise<string> =>
    fetch(`http://127.0.0.1:${portOf(server)}${path}`, signal === undefined ? {} : { signal }).then((one) =>
      one.text(),
    );
  const answers = [ask('/small'), ask('/large')];
  const left = assert.rejects(ask('/gone', gone.signal));
  await three.promise;
  const outgoingOf = (path: string): ServerResponse => {
    const found = waiting.find(({ req }) => req.url === path);
    assert.ok(found !== undefined);
    return found;
  };
  const closed = new Promise((resolve) => outgoingOf('/gone').once('close', resolve));
  gone.abort();
  await Promise.all([left, closed]);
  const small = Uint8Array.from({ length: 256 }, (_, at) => at);
  for (const outgoing of waiting) outgoing.writeHead(200, { 'content-type': 'text/plain; charset=latin1' });
  endTogether(outgoingOf('/small'), Buffer.from('ä'));
  endTogether(outgoingOf('/gone'), small);
  endTogether(outgoingOf('/large'), Buffer.alloc(5000, 'x'));
  assert.ok(waiting.every((outgoing) => !outgoing.writableEnded));
  assert.deepEqual(await Promise.all(answers), ['ä', 'x'.repeat(5000)]);
  assert.equal(outgoingOf('/gone').writableEnded, false);
});
