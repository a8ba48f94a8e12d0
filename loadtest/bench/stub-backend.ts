import { createServer, type ServerResponse } from 'node:http';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { chatEvents, chatPath } from './chat-stream.ts';

// A replica that answers every request at once with what a bundled worker would, and streams chats at a pace that every peer keeps up with:
// the peers are compared by their own cost.

const answer = Buffer.from(
  JSON.stringify({
    model_name: 'digits',
    model_version: '1',
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [1], data: [7] },
      { name: 'probabilities', datatype: 'FP32', shape: [1, 10], data: [0, 0, 0.01, 0, 0, 0, 0, 0.98, 0.01, 0] },
    ],
  }),
);
const report = 'JSON {"named_metrics":{"slots":64,"in_flight":0,"queued":0,"service_seconds":0.00021}}';
const headers = [
  'content-type',
  'application/json',
  'content-length',
  String(answer.length),
  'endpoint-load-metrics',
  report,
];

/** Each stream gets one event a tick, in a write of its own. */
const tickMs = 10;
/** The streams that are open, with the events they have had. */
const streams = new Map<ServerResponse, number>();

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.on('data', () => {});
  request.on('end', () => {
    if (request.url === chatPath) return openStream(response);
    response.writeHead(200, headers);
    response.end(answer);
  });
});

function openStream(response: ServerResponse): void {
  response.writeHead(200, ['content-type', 'text/event-stream', 'cache-control', 'no-cache']);
  streams.set(response, 0);
  response.on('close', () => streams.delete(response));
}

function tick(): void {
  systemClock.after(tickMs, tick);
  for (const [response, sent] of streams) {
    streams.set(response, sent + 1);
    if (sent < chatEvents.length - 1) response.write(chatEvents[sent]);
    else {
      streams.delete(response);
      response.end(chatEvents[sent]);
    }
  }
}

tick();
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
