import { createServer } from 'node:http';

// A replica that answers every request at once with what a bundled worker would: the peers are compared by their own cost.

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

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.on('data', () => {});
  request.on('end', () => {
    response.writeHead(200, headers);
    response.end(answer);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
