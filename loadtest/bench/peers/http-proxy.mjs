import { Agent } from 'node:http';
import httpProxy from 'http-proxy';

// http-proxy as its README has it, with connections that are kept.
const [port, backendPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${backendPort}`, agent });
proxy.on('error', (error, _request, response) => response.destroy(error));
proxy.listen(port, '127.0.0.1');
setTimeout(() => process.send?.('ready'), 200);
