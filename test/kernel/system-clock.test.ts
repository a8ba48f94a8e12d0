import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { afterQuietTurn } from '../../gateway/kernel/system-clock.ts';

/** The two ends of a connection. */
async function openPair(context: TestContext): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [there] = (await once(server, 'connection')) as [Socket];
  server.close();
  context.after(() => {
    here.destroy();
    there.destroy();
  });
  return [here, there];
}

test('a quiet turn comes when all that had come has been handled', async (context) => {
  const [here, there] = await openPair(context);
  let read = 0;
  there.on('data', ({ length }) => {
    read += length;
  });
  here.write(Buffer.alloc(100_000));
  await new Promise<void>((resolve) => afterQuietTurn(resolve));
  assert.equal(read, here.bytesWritten);
});

test('where events never end, a quiet turn is not waited for longer than so many turns', async (context) => {
  const [here, there] = await openPair(context);
  for (const [one, other] of [
    [here, there],
    [there, here],
  ] as const) {
    one.on('data', () => {
      other.write('x');
      // So many that one of them is always on its way.
      one.write('x');
    });
  }
  here.write('x');
  let turns = 0;
  const count = (): void => {
    turns += 1;
    setImmediate(count).unref();
  };
  setImmediate(count).unref();
  await new Promise<void>((resolve) => afterQuietTurn(resolve, 20));
  // The first, and twenty more: none of them was quiet.
  assert.equal(turns, 21);
});
