import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { startBrowser } from '../support/browser.ts';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, request } from '../support/raw-client.ts';
import { type RecordingRelay, startRecordingRelay } from '../support/recording-relay.ts';

/** Stands in what the gateway tells those who may read it, and in nothing that a page says to it. */
const canary = 'canary-model';

const backend = await RawBackend.start({ after }, ({ socket }) => socket.write(okAnswer(canary)));
const replicas = `[{ id: a, url: "${backend.url}" }]`;
const gateway = await startGateway(
  { after },
  `backends: [{ name: pool, protocol: open-inference, models: [${canary}, m], replicas: ${replicas} }]`,
);
const admin = await startRecordingRelay({ after }, gateway.admin);
const client = await startRecordingRelay({ after }, gateway.client);
const browser = await startBrowser({ after });

/** What no page may make the gateway do. */
const drain = '/api/replicas/pool/a/drain';

interface Attempt {
  /** An expression in the page: a promise of whatever could be read. `port` is the address of the gateway. */
  readonly does: string;
  /** The first request that reaches the gateway, without a preflight. */
  readonly sends: string;
  /** Whether a browser asks first, where the page is of another origin. */
  readonly isPreflighted?: boolean;
}

const marked = `{ method: 'POST', headers: { 'x-headgate-admin': '1' } }`;

/** How a page may try to change something, or to read what it should not. */
const attempts: Readonly<Record<string, Attempt>> = {
  'a GET': { does: `read(port + '${drain}')`, sends: `GET ${drain}` },
  'a POST': { does: `read(port + '${drain}', { method: 'POST' })`, sends: `POST ${drain}` },
  'a POST of text': {
    does: `read(port + '${drain}', { method: 'POST', body: 'x-headgate-admin: 1' })`,
    sends: `POST ${drain}`,
  },
  'a POST with the mark': { does: `read(port + '${drain}', ${marked})`, sends: `POST ${drain}`, isPreflighted: true },
  'a reload with the mark': {
    does: `read(port + '/api/config/reload', ${marked})`,
    sends: 'POST /api/config/reload',
    isPreflighted: true,
  },
  'a PUT': { does: `read(port + '${drain}', { method: 'PUT' })`, sends: `PUT ${drain}`, isPreflighted: true },
  'a POST with a made-up token': {
    does: `read(port + '${drain}', { method: 'POST', headers: { authorization: 'Bearer x' } })`,
    sends: `POST ${drain}`,
    isPreflighted: true,
  },
  // The browser leaves out the headers that would need leave.
  'a POST that wants no answer': {
    does: `read(port + '${drain}', { ...${marked}, mode: 'no-cors' })`,
    sends: `POST ${drain}`,
  },
  'a POST that wants no answer and keeps alive': {
    does: `read(port + '${drain}', { method: 'POST', mode: 'no-cors', keepalive: true, credentials: 'include' })`,
    sends: `POST ${drain}`,
  },
  'a beacon': { does: `String(navigator.sendBeacon(port + '${drain}', 'x'))`, sends: `POST ${drain}` },
  'a form': { does: `submit(port + '${drain}', 'application/x-www-form-urlencoded')`, sends: `POST ${drain}` },
  'a form of text': { does: `submit(port + '${drain}', 'text/plain')`, sends: `POST ${drain}` },
  'a form of parts': { does: `submit(port + '${drain}', 'multipart/form-data')`, sends: `POST ${drain}` },
  'an image of a change': { does: `load('img', { src: port + '${drain}' })`, sends: `GET ${drain}` },
  'a web socket': {
    does: `new Promise((end) => { new WebSocket(port.replace('http', 'ws') + '${drain}').onerror = () => end('nothing'); })`,
    sends: `GET ${drain}`,
  },
  'a stream of events': {
    does: `new Promise((end) => { const events = new EventSource(port + '/api/backends'); events.onerror = () => { events.close(); end('nothing'); }; })`,
    sends: 'GET /api/backends',
  },
  'reading the configuration': { does: `read(port + '/api/config')`, sends: 'GET /api/config' },
  'reading the replicas': { does: `read(port + '/api/backends')`, sends: 'GET /api/backends' },
  'reading the metrics': { does: `read(port + '/metrics')`, sends: 'GET /metrics' },
  'reading the configuration with the mark': {
    does: `read(port + '/api/config', { headers: { 'x-headgate-admin': '1' } })`,
    sends: 'GET /api/config',
    isPreflighted: true,
  },
  'the configuration as a script': { does: `load('script', { src: port + '/api/config' })`, sends: 'GET /api/config' },
  'the metrics as a script': { does: `load('script', { src: port + '/metrics' })`, sends: 'GET /metrics' },
  'the metrics as a style': {
    does: `load('link', { rel: 'stylesheet', href: port + '/metrics' })`,
    sends: 'GET /metrics',
  },
  'the configuration in a frame': { does: `frame(port + '/api/config')`, sends: 'GET /api/config' },
};

/** What the attempts are made of. Each resolves with all that the page could read. */
const means = `
  const read = async (url, init) => {
    try {
      const response = await fetch(url, init);
      return response.type + ' ' + response.status + ' ' + (await response.text());
    } catch { return 'nothing'; }
  };
  const added = (name, attributes) => new Promise((end) => {
    const element = Object.assign(document.createElement(name), attributes);
    element.onload = element.onerror = () => end(element);
    document.body.append(element);
  });
  const load = async (name, attributes) => {
    const { sheet } = await added(name, attributes);
    try { return sheet?.cssRules[0]?.cssText ?? 'nothing'; } catch { return 'nothing'; }
  };
  const shownIn = (frame) => frame.contentDocument?.documentElement.innerText ?? 'nothing';
  const frame = async (src) => shownIn(await added('iframe', { src }));
  const submit = async (action, enctype) => {
    const target = await added('iframe', { name: 'answer' + Math.random() });
    const form = Object.assign(document.createElement('form'), { action, enctype, method: 'POST', target: target.name });
    form.append(Object.assign(document.createElement('input'), { name: 'x-headgate-admin', value: '1' }));
    document.body.append(form);
    const loaded = new Promise((end) => { target.onload = end; });
    form.submit();
    await loaded;
    return shownIn(target);
  };`;

/** Serves empty pages; those under /sandboxed are of no origin. */
const elsewhere = createServer((incoming, outgoing) => {
  outgoing.setHeader('content-type', 'text/html');
  if (incoming.url === '/sandboxed') outgoing.setHeader('content-security-policy', 'sandbox allow-scripts allow-forms');
  outgoing.end('<!doctype html><title>page</title><body>');
});
await new Promise<void>((resolve) => {
  elsewhere.listen(0, '127.0.0.1', resolve);
});
after(() => {
  elsewhere.close();
  elsewhere.closeAllConnections();
});
const otherPort = (elsewhere.address() as AddressInfo).port;

/** `evil.test` with the port of the gateway is a page from before its name was bound to this machine: to the browser all of the gateway is its own. */
const pages = (port: string): Readonly<Record<string, string>> => ({
  'another port': `http://127.0.0.1:${otherPort}/`,
  'another name of this machine': `http://localhost:${otherPort}/`,
  'another host': `http://evil.test:${otherPort}/`,
  'no origin': `http://127.0.0.1:${otherPort}/sandboxed`,
  'a rebound host': `${port.replace('127.0.0.1', 'evil.test')}/page`,
});

/** Opens a page, which can then be made to do something: that resolves with what the page could read, when all it sent has been answered. */
async function open(url: string, relay: RecordingRelay): Promise<(does: string) => Promise<string>> {
  const page = await browser.newPage();
  // Requests must not be intercepted here: Playwright would then let preflights pass, whatever the gateway says.
  await page.goto(url);
  const port = url.endsWith('/page') ? new URL(url).origin : relay.url;
  return async (does) => {
    relay.forget();
    const got = await page.evaluate(`(async () => { const port = '${port}'; ${means} return ${does}; })()`);
    await eventually(`${does} has been answered`, () => {
      const count = relay.requests().length;
      return count > 0 && relay.answerCount() >= count;
    });
    return String(got);
  };
}

async function state(): Promise<string> {
  const shown = await ask(gateway.admin, request({ line: 'GET /api/backends' }));
  const changes = gateway.process.log.filter(({ msg }) => msg === 'an operator asked for a change').length;
  return `${shown.body} after ${changes} changes`;
}

test('the same from a page of the admin port itself is read, and with the mark it changes something', async () => {
  const attempt = await open(`${admin.url}/page`, admin);
  assert.match(await attempt(`read(port + '/api/config')`), /^basic 200 .*canary-model/);
  assert.match(await attempt(`frame(port + '/api/config')`), /canary-model/);
  assert.match(await attempt(`read(port + '/metrics')`), /headgate_/);
  assert.match(await attempt(`submit(port + '${drain}', 'text/plain')`), /wanted 1/);
  assert.match(await attempt(`read(port + '${drain}', ${marked})`), /^basic 200 .*draining/);
  const undrain = drain.replace('/drain', '/undrain');
  assert.match(await attempt(`read(port + '${undrain}', ${marked})`), /^basic 200 .*"ready"/);
  await eventually('both stand in the log', async () => (await state()).endsWith('after 2 changes'));
});

for (const [where, url] of Object.entries(pages(admin.url))) {
  test(`a page of ${where} changes nothing on the admin port and reads nothing there`, async () => {
    const before = await state();
    const attempt = await open(url, admin);
    for (const [claim, { does, sends, isPreflighted = false }] of Object.entries(attempts)) {
      const got = await attempt(does);
      assert.doesNotMatch(got, /canary|headgate_|draining/, claim);
      judge(claim, got, url);
      assert.deepEqual(sentTo(admin), [firstOf(sends, isPreflighted, url)], claim);
      assert.equal(await state(), before, claim);
    }
  });
}

/** Nothing may be read but, by a page that the browser takes for the gateway's own, the refusal. */
function judge(claim: string, got: string, url: string): void {
  const refused = /^(basic 421 )?\{"error":"host: [^"]*"\}$/;
  const unread = /^(nothing|opaque 0 |true)$/;
  assert.ok(unread.test(got) || (isRebound(url) && refused.test(got)), `${claim}: ${got}`);
}

/** What is sent first, and alone: a browser asks for leave first where a page wants more of another origin than a form could, and it is not given. */
function firstOf(sends: string, isPreflighted: boolean, url: string): string {
  return isPreflighted && !isRebound(url) ? sends.replace(/^\w+/, 'OPTIONS') : sends;
}

/** Each request once: a browser that is told 421 tries again on another connection. */
function sentTo(relay: RecordingRelay): string[] {
  return [...new Set(relay.requests())];
}

function isRebound(url: string): boolean {
  return url.endsWith('/page');
}

const infer = '/v2/models/m/infer';

/** How a page may try to use the models. */
const uses: Readonly<Record<string, Attempt>> = {
  'reading the models': { does: `read(port + '/v2/models')`, sends: 'GET /v2/models' },
  'reading an answer': { does: `read(port + '${infer}', { method: 'POST', body: '{}' })`, sends: `POST ${infer}` },
  'reading an answer to JSON': {
    does: `read(port + '${infer}', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })`,
    sends: `POST ${infer}`,
    isPreflighted: true,
  },
  'the models in a frame': { does: `frame(port + '/v2/models')`, sends: 'GET /v2/models' },
};

for (const [where, url] of Object.entries(pages(client.url))) {
  test(`a page of ${where} reads nothing on the client port`, async () => {
    const attempt = await open(url, client);
    for (const [claim, { does, sends, isPreflighted = false }] of Object.entries(uses)) {
      judge(claim, await attempt(does), url);
      assert.deepEqual(sentTo(client), [firstOf(sends, isPreflighted, url)], claim);
    }
  });
}

test('the same from a page of the client port itself is read', async () => {
  const attempt = await open(`${client.url}/page`, client);
  for (const { does } of Object.values(uses)) assert.match(await attempt(does), /canary/);
});
