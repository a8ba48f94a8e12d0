import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Scope } from './gateway-process.ts';

/** Stands in front of a port, passes all bytes on as they are, and keeps what was asked and answered. */
export interface RecordingRelay {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Begins anew: what was asked so far is forgotten. */
  forget(): void;
  /** The requests, each `METHOD target`. */
  requests(): string[];
  /** How many answers have come. */
  answerCount(): number;
}

interface Passage {
  asked: string;
  answered: string;
}

const page = '<!doctype html><title>page</title><link rel=icon href=data:,><body></body>';
const pageAnswer = `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${page.length}\r\nconnection: close\r\n\r\n${page}`;

/**
 * Listens in front of `to`; closed when the test ends. To `GET /page` it answers itself, with an empty page, and keeps nothing of it: so a
 * browser comes to have a page whose origin is the port, as it does where a name that led elsewhere leads here afterwards.
 */
export async function startRecordingRelay(scope: Scope, to: string): Promise<RecordingRelay> {
  const passages: Passage[] = [];
  const sockets = new Set<Socket>();
  const { hostname, port } = new URL(to);
  const server = createServer((client) => {
    keep(client);
    client.once('data', (first) => {
      if (String(first).startsWith('GET /page ')) client.end(pageAnswer);
      else pass(client, Buffer.from(first));
    });
  });
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const pass = (client: Socket, first: Buffer): void => {
    const passage = { asked: first.toString('latin1'), answered: '' };
    passages.push(passage);
    const gateway = connect(Number(port), hostname);
    keep(gateway);
    gateway.write(first);
    client.on('data', (bytes) => {
      passage.asked += bytes.toString('latin1');
    });
    gateway.on('data', (bytes) => {
      passage.answered += bytes.toString('latin1');
    });
    client.pipe(gateway).pipe(client);
    client.on('close', () => gateway.destroy());
    gateway.on('close', () => client.destroy());
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forget() {
      for (const passage of passages) Object.assign(passage, { asked: '', answered: '' });
    },
    // On a connection that is kept, a message begins right behind the body of the one before.
    requests: () =>
      passages.flatMap(({ asked }) => [...asked.matchAll(/([A-Z]+ \S+) HTTP\/1\.1\r\n/g)].map(([, line = '']) => line)),
    answerCount: () => passages.reduce((sum, { answered }) => sum + answered.split(/HTTP\/1\.1 \d{3} /).length - 1, 0),
  };
}
